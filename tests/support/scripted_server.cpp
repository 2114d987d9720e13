#include "tests/support/scripted_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

namespace gather::test {
namespace {

using Request = ScriptedServer::Request;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// The head of a request, from its first line to the empty one.
Request parse(std::string_view head) {
  Request request;
  const std::string_view first = head.substr(0, head.find("\r\n"));
  request.method = first.substr(0, first.find(' '));
  request.target = first.substr(first.find(' ') + 1, first.rfind(' ') - first.find(' ') - 1);
  head.remove_prefix(first.size() + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    const std::size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    request.headers[lower(std::string(line.substr(0, colon)))] = line.substr(value);
    head.remove_prefix(line.size() + 2);
  }
  return request;
}

/// Takes the body off the beginning of `input`, all of it or nothing.
bool take_body(Request& request, std::string& input) {
  if (!request.headers.contains("transfer-encoding")) {
    const std::size_t length =
        request.headers.contains("content-length") ? std::stoul(request.headers["content-length"]) : 0;
    if (input.size() < length) return false;
    request.body = input.substr(0, length);
    input.erase(0, length);
    return true;
  }
  std::size_t at = 0;
  std::string body;
  for (;;) {
    const std::size_t line_end = input.find("\r\n", at);
    if (line_end == std::string::npos) return false;
    const std::size_t size = std::stoul(input.substr(at, line_end - at), nullptr, 16);
    if (input.size() < line_end + 2 + size + 2) return false;
    body += input.substr(line_end + 2, size);
    at = line_end + 2 + size + 2;
    if (size == 0) break;
  }
  request.body = std::move(body);
  input.erase(0, at);
  return true;
}

}  // namespace

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  unsetenv("http_proxy");  // What the machine uses must not stand between a test and its server.
  unsetenv("all_proxy");
  std::array<int, 2> ends{};
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (pipe2(ends.data(), O_CLOEXEC) != 0 ||
      bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 1024) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the test server can't listen");
  port_ = ntohs(address.sin_port);
  stop_read_ = ends[0];
  stop_write_ = ends[1];
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  close(stop_write_);  // Every await() ends, now and later.
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
  close(stop_read_);
}

std::string ScriptedServer::host() const { return fmt::format("127.0.0.1:{}", port_); }

std::string ScriptedServer::url(std::string_view target) const {
  return fmt::format("http://{}{}", host(), target);
}

std::vector<Request> ScriptedServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int ScriptedServer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(connections_.size());
}

int ScriptedServer::open_connections() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

bool ScriptedServer::closed_down_to(int connections) const {
  std::unique_lock lock(mutex_);
  return closed_.wait_for(lock, std::chrono::seconds(10), [&] { return open_ <= connections; });
}

int ScriptedServer::most_open_connections() const {
  const std::lock_guard lock(mutex_);
  return most_open_;
}

std::size_t ScriptedServer::requests_for(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = traffic_.find(host);
  return found == traffic_.end() ? 0 : found->second.requests;
}

std::size_t ScriptedServer::most_in_progress(const std::string& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = traffic_.find(host);
  return found == traffic_.end() ? 0 : found->second.most_in_progress;
}

std::size_t ScriptedServer::most_at_once() const {
  const std::lock_guard lock(mutex_);
  return most_waiting_;
}

void ScriptedServer::hold(std::size_t count) {
  const std::lock_guard lock(mutex_);
  held_ = count;
}

void ScriptedServer::greet(std::string bytes) {
  const std::lock_guard lock(mutex_);
  greeting_ = std::move(bytes);
}

bool ScriptedServer::await(int socket) const {
  std::array<pollfd, 2> set{pollfd{socket, POLLIN, 0}, pollfd{stop_read_, POLLIN, 0}};
  return poll(set.data(), set.size(), -1) > 0 && set[1].revents == 0;
}

bool ScriptedServer::pass(std::chrono::milliseconds time) const {
  pollfd end{stop_read_, POLLIN, 0};
  return time.count() == 0 || poll(&end, 1, static_cast<int>(time.count())) == 0;
}

void ScriptedServer::accept_all() {
  while (await(listener_)) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const timeval patience{.tv_sec = 5, .tv_usec = 0};  // A client that does not read can't hold us for ever.
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    const std::lock_guard lock(mutex_);
    most_open_ = std::max(most_open_, ++open_);
    send_all(socket, greeting_);
    const int number = static_cast<int>(connections_.size()) + 1;
    connections_.emplace_back([this, socket, number] { serve(socket, number); });
  }
}

void ScriptedServer::serve(int socket, int number) {
  std::string input;
  std::array<char, 65536> buffer;
  Then then = Then::keep;
  while (then == Then::keep) {
    const std::size_t head_end = input.find("\r\n\r\n");
    std::optional<Request> request;
    if (head_end != std::string::npos) {
      request = parse(std::string_view(input).substr(0, head_end + 2));
      std::string rest = input.substr(head_end + 4);
      if (take_body(*request, rest))
        input = std::move(rest);
      else
        request.reset();
    }
    if (!request) {
      if (!await(socket)) break;
      const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      input.append(buffer.data(), static_cast<std::size_t>(count));
      continue;
    }
    request->connection = number;
    const Reply reply = answer(*request);
    bool in_progress = true;
    const auto ended = [&] {
      const std::lock_guard lock(mutex_);
      if (std::exchange(in_progress, false)) --traffic_[request->headers["host"]].in_progress;
    };
    const bool sent = send_reply(socket, reply, [&] {
      if (reply.then != Then::stall) ended();
    });
    then = sent ? reply.then : Then::close;
    if (then == Then::stall)
      while (await(socket) && recv(socket, buffer.data(), buffer.size(), 0) > 0) {
      }
    ended();
  }
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  if (then == Then::reset) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(socket);
  const std::lock_guard lock(mutex_);
  --open_;
  closed_.notify_all();
}

bool ScriptedServer::send_reply(int socket, const Reply& reply,
                                const std::function<void()>& before_last_piece) {
  if (!pass(reply.latency)) return false;
  if (reply.slice == 0) {
    before_last_piece();
    return send_all(socket, reply.bytes);
  }
  for (std::string_view left = reply.bytes; !left.empty();) {
    const std::string_view slice = left.substr(0, reply.slice);
    if (slice.size() == left.size()) before_last_piece();
    if (!send_all(socket, slice)) return false;
    left.remove_prefix(slice.size());
    if (!left.empty() && !pass(reply.pause)) return false;
  }
  return true;
}

bool ScriptedServer::send_all(int socket, std::string_view bytes) {
  constexpr std::size_t slice =
      65536;  // A blocking send returns when all is out: sent() would know nothing till then.
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), std::min(bytes.size(), slice), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    sent_ += static_cast<std::size_t>(sent);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

ScriptedServer::Reply ScriptedServer::answer(const Request& request) {
  using namespace std::chrono_literals;
  std::unique_lock lock(mutex_);
  requests_.push_back(request);
  const auto host = request.headers.find("host");
  Traffic& traffic = traffic_[host == request.headers.end() ? "" : host->second];
  ++traffic.requests;
  traffic.most_in_progress = std::max(traffic.most_in_progress, ++traffic.in_progress);
  most_waiting_ = std::max(most_waiting_, ++waiting_);
  for (auto end = std::chrono::steady_clock::now() + 2s;
       most_waiting_ < held_ && std::chrono::steady_clock::now() < end;) {
    lock.unlock();
    std::this_thread::sleep_for(1ms);
    lock.lock();
  }
  --waiting_;
  return script_(request);
}

std::string response(int status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {} Word\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(),
                     body);
}

std::string chunked_response(std::string_view body, std::size_t size, bool whole) {
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size())))
    bytes += fmt::format("{:x}\r\n{}\r\n", std::min(size, body.size()), body.substr(0, size));
  return whole ? bytes + "0\r\n\r\n" : bytes;
}

}  // namespace gather::test
