#include "tests/support/nginx.hpp"

#include "tests/support/certificate.hpp"
#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gather::test {
namespace {

namespace fs = std::filesystem;

/// The system's, or what `.ci/setup` has unpacked.
std::string find_nginx() {
  for (const char* const path :
       {"/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx", UNPACKED_NGINX})
    if (access(path, X_OK) == 0) return path;
  throw std::runtime_error("there is no nginx; `.ci/setup test` unpacks one into build/nginx");
}

/// Free now; another may take it before nginx does, which start() sees.
int free_port() {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool bound = bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

constexpr std::string_view configuration = R"(daemon off;
master_process off;
pid "{0}/pid";
error_log "{0}/error.log";
events {{ worker_connections 2048; }}
http {{
  log_format brief '$request $status $connection';
  access_log "{0}/access.log" brief;
  client_body_temp_path "{0}/body";
  proxy_temp_path "{0}/proxy";
  fastcgi_temp_path "{0}/fastcgi";
  uwsgi_temp_path "{0}/uwsgi";
  scgi_temp_path "{0}/scgi";
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{1}{2};
    root "{0}/root";
    {3}
  }}
}}
)";

}  // namespace

Nginx::Nginx(Protocol protocol, std::string_view directives) : protocol_(protocol) {
  std::string name = (fs::temp_directory_path() / "gather-nginx-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for nginx");
  folder_ = name;
  fs::create_directory(root());
  try {
    if (protocol != Protocol::http) make_certificate(folder_);
    for (int attempt = 1; !start(directives); ++attempt)
      if (attempt == 5) {
        std::stringstream log;
        log << std::ifstream(folder_ / "error.log").rdbuf();
        throw std::runtime_error("nginx does not start: " + log.str());
      }
  } catch (...) {
    fs::remove_all(folder_);
    throw;
  }
}

Nginx::~Nginx() {
  end();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string Nginx::url(std::string_view target) const {
  return fmt::format("http{}://127.0.0.1:{}{}", protocol_ == Protocol::http ? "" : "s", port_, target);
}

std::string Nginx::access_log() const {
  std::stringstream text;
  text << std::ifstream(folder_ / "access.log").rdbuf();
  return text.str();
}

bool Nginx::start(std::string_view directives) {
  const std::string nginx = find_nginx();
  const std::string folder = folder_.string();
  const std::string file = folder + "/nginx.conf";
  port_ = free_port();
  std::string more(directives);
  if (protocol_ != Protocol::http)
    more = fmt::format("ssl_certificate \"{0}/chain.pem\"; ssl_certificate_key \"{0}/key.pem\"; {1}", folder,
                       more);
  const std::string_view how = protocol_ == Protocol::http    ? ""
                               : protocol_ == Protocol::https ? " ssl"
                                                              : " ssl http2";
  std::ofstream(file) << fmt::format(configuration, folder, port_, how, more);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // A test that is killed leaves no server.
    if (getppid() != parent) _exit(1);
    const int nowhere = open("/dev/null", O_RDWR);
    for (const int stream : {0, 1, 2}) dup2(nowhere, stream);
    execl(nginx.c_str(), "nginx", "-p", folder.c_str(), "-c", file.c_str(), "-e", "error.log", nullptr);
    _exit(127);
  }
  for (int i = 0; i < 2000; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {  // The port was taken, or something worse.
      pid_ = -1;
      return false;
    }
    if (answers()) return true;
    poll(nullptr, 0, 5);
  }
  end();
  return false;
}

/// Once it has written its pid file, it listens.
bool Nginx::answers() const {
  if (!fs::exists(folder_ / "pid")) return false;
  const sockaddr_in address = loopback(port_);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered = connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(socket);
  return answered;
}

void Nginx::end() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  for (int i = 0; i < 400; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    poll(nullptr, 0, 5);
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace gather::test
