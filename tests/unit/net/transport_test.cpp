#include "core/net/transport.hpp"

#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;

namespace {

using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

ScriptedServer::Script saying(std::string body) {
  return [bytes = response(200, body)](const ScriptedServer::Request&) { return Reply{bytes}; };
}

std::string port_of(const ScriptedServer& server) {
  return server.host().substr(server.host().find(':') + 1);
}

/// Answers one request on a socket in the file system.
class UnixServer {
 public:
  explicit UnixServer(const std::string& path) : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    thread_ = std::thread([this] {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::array<char, 4096> head{};
      (void)!read(connection, head.data(), head.size());
      const std::string answer = response(200, "local");
      (void)!write(connection, answer.data(), answer.size());
      close(connection);
    });
  }
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;
  ~UnixServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

 private:
  int listener_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("C56: a request has its own limits for a silent server", "[net][transport]") {
  const ScriptedServer mute([](const ScriptedServer::Request&) { return Reply{"", Then::stall}; });
  CHECK(fetch({.url = mute.url(), .transport = Transport{.stall_timeout = 100ms}}) ==
        "timeout: HOST sent nothing for 100 ms");
  // A server that says nothing to the first message of TLS.
  CHECK(fetch({.url = "https://" + mute.host() + "/", .transport = Transport{.connect_timeout = 100ms}}) ==
        "timeout: no connection to HOST within 100 ms");
}

TEST_CASE("a limited rate is kept, and the wait for it is no stall", "[net][transport]") {
  const ScriptedServer server(saying(std::string(600'000, 'x')));
  const auto began = std::chrono::steady_clock::now();
  CHECK(fetch({.url = server.url(), .transport = Transport{.stall_timeout = 100ms, .limit_rate = 400'000}}) ==
        "200, 600000 bytes");
  CHECK(std::chrono::steady_clock::now() - began > 500ms);
}

TEST_CASE("a limited rate does not hide a server that stalls", "[net][transport]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", Then::stall};
  });
  CHECK(fetch({.url = server.url(), .transport = Transport{.stall_timeout = 100ms, .limit_rate = 1000}}) ==
        "timeout: HOST sent nothing for 100 ms");
}

TEST_CASE("C51: a request says how many redirects are followed", "[net][transport]") {
  const ScriptedServer server(
      [](const ScriptedServer::Request&) { return Reply{response(302, "moved", "Location: /again\r\n")}; });
  CHECK(fetch({.url = server.url(), .transport = Transport{.redirects = 2}}) ==
        "redirect: HOST redirected 3 times, the last time to HOST");
  CHECK(fetch({.url = server.url(), .transport = Transport{.redirects = 0}}) ==
        "redirect: HOST redirected 1 time, the last time to HOST");
  CHECK(server.requests().size() == 4);
}

TEST_CASE("C53: headers go to other origins only where redirects are trusted", "[net][transport]") {
  const ScriptedServer other(saying("hello"));
  const ScriptedServer server([&](const ScriptedServer::Request&) {
    return Reply{response(302, "moved", fmt::format("Location: {}\r\n", other.url()))};
  });
  for (const bool trusted : {false, true})
    CHECK(fetch({.url = server.url(),
                 .headers = {{"Authorization", "Bearer x"}},
                 .transport = Transport{.trust_redirects = trusted}}) == "200, 5 bytes");
  CHECK_FALSE(other.requests().at(0).headers.contains("authorization"));
  CHECK(other.requests().at(1).headers.at("authorization") == "Bearer x");
}

TEST_CASE("C66: requests with different credentials never share a connection", "[net][transport]") {
  const ScriptedServer server(saying("hello"));
  gather::async::Loop loop;
  Session session(loop);
  std::string connections;
  for (const char* token : {"", "Bearer a", "Bearer b", "Bearer a", ""}) {
    Download wanted{.url = server.url()};
    if (*token != '\0') wanted.headers = {{"authorization", token}};
    CHECK(describe(loop.run(download(session, wanted))) == "200, 5 bytes");
    connections += std::to_string(server.requests().back().connection);
  }
  CHECK(connections == "12321");
}

TEST_CASE("sets of connections for credentials that are no longer used are closed", "[net][transport]") {
  const ScriptedServer server(saying("hello"));
  gather::async::Loop loop;
  Session session(loop);
  for (int i = 0; i < 40; ++i) {
    const Download wanted{.url = server.url(), .headers = {{"Cookie", std::to_string(i)}}};
    CHECK(describe(loop.run(download(session, wanted))) == "200, 5 bytes");
  }
  CHECK(server.closed_down_to(16));
  CHECK(server.open_connections() == 16);
}

TEST_CASE("a name is resolved as a request says, and for that request alone", "[net][transport]") {
  const ScriptedServer server(saying("hello")), other(saying("another one"));
  gather::async::Loop loop;
  Session session(loop);
  const auto ask = [&](const ScriptedServer& at) {
    const std::string port = port_of(at);
    const Download wanted{.url = "http://far.invalid:" + port + "/",
                          .transport = Transport{.resolve = {"far.invalid:" + port + ":127.0.0.1"}}};
    return describe(loop.run(download(session, wanted)));
  };
  CHECK(ask(server) == "200, 5 bytes");
  CHECK(ask(other) == "200, 11 bytes");
  CHECK(server.requests().at(0).headers.at("host") == "far.invalid:" + port_of(server));
  const Download plain{.url = "http://far.invalid:" + port_of(server) + "/"};
  CHECK(
      describe(loop.run(download(session, plain))).starts_with("dns: no address was found for far.invalid"));
}

TEST_CASE("a socket in the file system takes the place of the host", "[net][transport]") {
  const Folder folder;
  const std::string path = (folder / "service.sock").string();
  const UnixServer server(path);
  CHECK(fetch({.url = "http://service.invalid/", .transport = Transport{.unix_socket = path}}) ==
        "200, 5 bytes");
}

TEST_CASE("a proxy that a request names is asked, and its password is never shown", "[net][transport]") {
  const ScriptedServer proxy(saying("through"));
  CHECK(fetch({.url = "http://far.invalid/x",
               .transport = Transport{.proxy = "http://me:s3cret@" + proxy.host()}}) == "200, 7 bytes");
  CHECK(proxy.requests().at(0).target == "http://far.invalid/x");
  CHECK(proxy.requests().at(0).headers.at("proxy-authorization") == "Basic bWU6czNjcmV0");

  for (const char* dead : {"http://me:s3cret@127.0.0.1:1", "http://me:s3cret@nowhere.invalid:8080",
                           "socks5h://me:s3cret@127.0.0.1:1", "http://me:s3cret@[::bad"}) {
    const std::string told = fetch({.url = "http://far.invalid/", .transport = Transport{.proxy = dead}});
    CHECK(told.find("s3cret") == std::string::npos);
    CHECK_FALSE(told.starts_with("200"));
  }
}

TEST_CASE("user and password come from the home's .netrc where a request allows it", "[net][transport]") {
  const Folder home;
  home.write(".netrc", "machine 127.0.0.1 login me password s3cret\n");
  const char* const before = std::getenv("HOME");
  const std::string kept = before == nullptr ? "" : before;
  setenv("HOME", home.path().c_str(), 1);
  const ScriptedServer server(saying("hello"));
  CHECK(fetch({.url = server.url()}) == "200, 5 bytes");
  CHECK(fetch({.url = server.url(), .transport = Transport{.netrc = true}}) == "200, 5 bytes");
  setenv("HOME", kept.c_str(), 1);
  CHECK_FALSE(server.requests().at(0).headers.contains("authorization"));
  CHECK(server.requests().at(1).headers.at("authorization") == "Basic bWU6czNjcmV0");
}
