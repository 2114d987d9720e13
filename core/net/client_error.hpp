/// What the HTTP session throws: one family, so that `catch (const net::ClientError&)` has them all. Names
/// are aiohttp's where it has one.
#pragma once

#include "core/net/failure.hpp"
#include "core/net/headers.hpp"

#include <stdexcept>
#include <string>

namespace gather::net {

/// A request did not end with what was asked for. what() is a sentence without a final full stop that names
/// the host, safe to print and free of the caller's secrets.
class ClientError : public std::runtime_error {
 public:
  ClientError(const std::string& sentence, std::string url, bool permanent);

  /// What was asked for, after redirects: without user, password, query and fragment, which may be secret.
  const std::string& url() const noexcept { return url_; }
  /// Trying again can't help: a certificate that is not trusted, a refused redirect, a status below 500 that
  /// is neither 408, 425 nor 429.
  bool permanent() const noexcept { return permanent_; }

 private:
  std::string url_;
  bool permanent_;
};

/// No connection, or none any more: no such host, nobody listens, no trust, no descriptor, or the session or
/// the response was closed.
class ClientConnectionError : public ClientError {
 public:
  ClientConnectionError(const Failure& failure, std::string url);

  /// dns, connect, tls, truncated (ServerDisconnectedError) or local.
  Failure::Kind kind() const noexcept { return kind_; }

 private:
  Failure::Kind kind_;
};

/// The connection ended before the head of the answer had come.
class ServerDisconnectedError : public ClientConnectionError {
 public:
  using ClientConnectionError::ClientConnectionError;
};

/// One of the limits of ClientTimeout has passed. Not an async::TimeoutError (aiohttp's is asyncio's too):
/// two std::runtime_errors in one object could not be caught as std::exception.
class ServerTimeoutError : public ClientError {
 public:
  using ClientError::ClientError;
};

/// The body was cut short, or contradicts the head.
class ClientPayloadError : public ClientError {
 public:
  using ClientError::ClientError;
};

/// What came was no HTTP (ours: aiohttp makes a ClientResponseError with status 400 of it).
class ClientProtocolError : public ClientError {
 public:
  using ClientError::ClientError;
};

/// That is no URL of http or https.
class InvalidURL : public ClientError {
 public:
  using ClientError::ClientError;
};

/// A redirect leads where we do not go: to another scheme, from https to http, or to no URL.
class RedirectError : public ClientError {
 public:
  using ClientError::ClientError;
};

/// There were more than RequestOptions::max_redirects of them.
class TooManyRedirects : public RedirectError {
 public:
  using RedirectError::RedirectError;
};

/// The answer's status is 400 or above; from raise_for_status() alone.
class ClientResponseError : public ClientError {
 public:
  ClientResponseError(int status, std::string reason, Headers headers, std::string url);

  int status() const noexcept { return status_; }
  const std::string& reason() const noexcept { return reason_; }
  const Headers& headers() const noexcept { return headers_; }

 private:
  int status_;
  std::string reason_;
  Headers headers_;
};

/// For core/net: throws what `failure` of a request for `url` means. `answered`: its head had come.
[[noreturn]] void raise(const Failure& failure, const std::string& url, bool answered);

}  // namespace gather::net
