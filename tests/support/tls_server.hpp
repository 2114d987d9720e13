/// An HTTPS server for tests, and the certificates for it, made when they are needed. Blocking sockets, one
/// connection at a time: it shares nothing with what it tests.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gather::test {

/// A certificate and its key, in PEM.
struct Credentials {
  std::string certificate;
  std::string key;
};

/// Signs certificates.
class Authority {
 public:
  explicit Authority(std::string name);

  const std::string& certificate() const { return own_.certificate; }  ///< In PEM.
  /// For the host or the person `name` ("127.0.0.1" is an address), valid from now + `from` to now + `until`,
  /// in seconds.
  Credentials issue(const std::string& name, long from = -3600, long until = 3600) const;

 private:
  Credentials own_;
};

/// Listens on 127.0.0.1 until it is destroyed. Answers each request with what the script says to its head.
class TlsServer {
 public:
  struct Request {
    std::string head;
    std::string client;  ///< The common name in the client's certificate; empty without one.
    int connection = 0;  ///< Counts from 1.
  };
  using Script = std::function<std::string(const Request&)>;
  struct Options {
    std::string client_authority = {};  ///< In PEM: clients must have a certificate of it.
    bool old_versions_only = false;     ///< TLS 1.1 and earlier.
    /// Agrees to HTTP/2 and asks the script once for all it says, as frames; then the connection is closed.
    bool http2 = false;
  };

  TlsServer(const Credentials& credentials, Script script, Options options);
  TlsServer(const Credentials& credentials, Script script) : TlsServer(credentials, std::move(script), {}) {}
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  std::string url(std::string_view target = "/", std::string_view host = "127.0.0.1") const;
  int port() const { return port_; }
  std::vector<Request> requests() const;
  /// The protocols that the latest client offered, "h2,http/1.1"; empty if none.
  std::string offered() const;

 private:
  void serve_all();
  void serve(int socket, int number);
  void on_connection(int socket, int number);

  Script script_;
  bool http2_;
  void* context_;  // SSL_CTX
  int listener_;
  int stop_[2];
  int port_ = 0;
  mutable std::mutex mutex_;  // Guards what follows.
  std::vector<Request> requests_;
  std::string offered_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace gather::test
