/// What to ask of a server, and who takes the body of its answer: plain data and one interface.
#pragma once

#include "core/net/failure.hpp"
#include "core/net/head.hpp"
#include "core/net/transport.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gather::net {

/// One part of a multipart/form-data body.
struct Part {
  std::string name;
  std::string value = {};                ///< Without `file`.
  std::optional<std::string> file = {};  ///< A path; read while it is sent, and sent with its last name.
  std::string type = {};                 ///< Content-Type; empty: what libcurl takes it for.
};

/// One HTTP request. Redirects are followed, as many as `transport` allows.
struct Request {
  std::string url;  ///< http or https, absolute, without user and password.
  std::string method = "GET";
  /// Sent to the origin of `url` only (scheme, host and port), not to where it redirects. Content-Type is
  /// kept where the body is: it describes it and no more.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;  ///< Sent as it stands.
  std::vector<int> expected;        ///< A redirect status that is listed here is an answer and not followed.
  /// Headers of our own that ask for less of the body (Range, If-None-Match). They tell nothing about the
  /// user and go wherever a redirect leads.
  std::vector<std::pair<std::string, std::string>> conditions = {};
  SharedTransport transport = {};  ///< How it is sent.
  std::vector<Part> parts = {};    ///< If any, they are the body.
};

/// Why the request can't be put into words of HTTP without becoming another, as a sentence without a final
/// full stop: a method that is none, a header with a line break.
std::optional<std::string> fault_in(const Request& request);

/// How an exchange ended well: with an answer whose body came whole. Its status may be any.
struct Answer {
  Head head;
  std::string url;          ///< After redirects.
  std::uint64_t bytes = 0;  ///< Of body.
};

/// Takes the body of an answer, on the loop's thread.
class BodySink {
 public:
  BodySink(const BodySink&) = delete;
  BodySink& operator=(const BodySink&) = delete;

  /// Never called for the body of a redirect that is followed. False ends the transfer, as Failure::local
  /// with an empty sentence: the sink knows why. What it throws comes out of Session::request.
  virtual bool take(const Head& head, std::string_view piece) = 0;

 protected:
  BodySink() = default;
  ~BodySink() = default;
};

}  // namespace gather::net
