/// A real web server for tests: nginx on a port of its own, serving a folder of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace gather::test {

/// Serves root() on 127.0.0.1 until it is destroyed. One process in the foreground, started and ended by its
/// pid, as any user; nothing of the system's nginx is read or written.
class Nginx {
 public:
  enum class Protocol { http, https, https_http2 };

  /// Throws std::runtime_error if there is no nginx (`.ci/setup test` brings it) or it does not start.
  /// `directives` go into its server block.
  explicit Nginx(Protocol protocol = Protocol::http, std::string_view directives = "");
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;
  ~Nginx();

  /// What is written here is served.
  std::filesystem::path root() const { return folder_ / "root"; }
  std::string url(std::string_view target = "/") const;
  int port() const { return port_; }
  /// The authority that signed the server's certificate; for https only.
  std::filesystem::path authority() const { return folder_ / "authority.pem"; }
  /// A line for each request: method, target, protocol, status, connection number.
  std::string access_log() const;

 private:
  bool start(std::string_view directives);
  bool answers() const;
  void end();

  Protocol protocol_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace gather::test
