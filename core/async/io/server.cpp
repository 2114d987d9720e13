#include "core/async/io/server.hpp"

#include "core/async/io/connection.hpp"
#include "core/base/error.hpp"

#include <fmt/format.h>
#include <netinet/in.h>

#include <cassert>
#include <stdexcept>
#include <utility>

namespace gather::async {
namespace {

// The kernel cuts it to its own limit (net.core.somaxconn, 4096 since Linux 5.4). A thousand clients that
// connect in the same millisecond must not be told to come back a second later.
constexpr int backlog = 4096;

[[noreturn]] void refuse(const std::string& host, std::uint16_t port, int error) {
  const char* remedy = "";
  if (error == UV_EADDRINUSE)
    remedy = "; stop the program that listens there, or choose another port (0 picks a free one)";
  else if (error == UV_EACCES)
    remedy = "; ports below 1024 are for root";
  else if (error == UV_EADDRNOTAVAIL)
    remedy = "; this machine has no such address";
  throw Error(ExitStatus::task_failed, fmt::format("can't listen on {}: {}{}", endpoint_text(host, port),
                                                   system_error_text(-error), remedy));
}

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  struct Member;

  State(Loop& its_loop, Handler its_handler) : loop(its_loop), handler(std::move(its_handler)) {}

  void listen(const std::string& host, std::uint16_t wanted);
  static void connected(uv_stream_t* stream, int status) noexcept;
  void accept();
  void complain(const char* message) noexcept { loop.complain({message, std::current_exception()}); }
  void settle() noexcept {
    if (!listener && size == 0) closed.set();
  }

  Loop& loop;
  Handler handler;
  StreamHandle listener;  // None once closed.
  std::uint16_t port = 0;
  Member* first = nullptr;  // Unfinished handlers.
  std::size_t size = 0;
  Event closed;
};

// A handler's place among the unfinished; frees itself when the task is done.
struct Server::State::Member final : DoneHook {
  Member(std::shared_ptr<State> its_server, TaskCell& its_task)
      : server(std::move(its_server)), task(its_task), next(server->first) {
    if (next != nullptr) next->previous = this;
    server->first = this;
    ++server->size;
    task.add_hook(*this);
  }
  void on_done(Cell&) noexcept override {
    (previous != nullptr ? previous->next : server->first) = next;
    if (next != nullptr) next->previous = previous;
    --server->size;
    server->settle();
    delete this;
  }

  std::shared_ptr<State> server;
  TaskCell& task;
  Member* previous = nullptr;
  Member* next;
};

namespace {

// `handler` belongs to the server's state, which outlives the task.
Co<> serve(const Server::Handler& handler, Loop& loop, Stream stream) {
  try {
    co_await handler(std::move(stream));
  } catch (const StreamError&) {
  } catch (const IncompleteRead&) {
  } catch (const std::exception&) {
    loop.complain({"a connection's handler failed", std::current_exception()});
  }
}

}  // namespace

void Server::State::listen(const std::string& host, std::uint16_t wanted) try {
  const sockaddr_storage address = numeric_address(host, wanted);
  listener = open_stream(loop, Transport::tcp, this);
  if (const int error = uv_tcp_bind(&listener->tcp, reinterpret_cast<const sockaddr*>(&address), 0);
      error != 0)
    refuse(host, wanted, error);
  if (const int error = uv_listen(&listener->stream, backlog, &connected); error != 0)
    refuse(host, wanted, error);
  sockaddr_storage bound{};
  int length = sizeof bound;
  uv_tcp_getsockname(&listener->tcp, reinterpret_cast<sockaddr*>(&bound), &length);
  port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
} catch (const std::invalid_argument& error) {
  throw Error(ExitStatus::task_failed, fmt::format("can't listen: {}", error.what()));
} catch (const StreamError& error) {
  refuse(host, wanted, -error.code());
}

void Server::State::connected(uv_stream_t* stream, int status) noexcept {
  auto& self = *static_cast<State*>(stream->data);
  try {
    if (status != 0) throw StreamError("accept", -status);
    self.accept();
  } catch (...) {
    self.complain("a connection was lost");
  }
}

void Server::State::accept() {
  auto connection = std::make_unique<Connection>(loop, Transport::tcp);
  if (const int error = uv_accept(&listener->stream, connection->uv()); error != 0)
    throw StreamError("accept", -error);
  uv_tcp_nodelay(connection->tcp(), 1);
  const Task<> task = loop.create_task(serve(handler, loop, Stream(std::move(connection))));
  new Member(shared_from_this(), task.cell());
}

Server::Server(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

Server::~Server() {
  if (!state_) return;  // Moved from.
  close();
  cancel_connections();
}

std::uint16_t Server::port() const noexcept { return state_->port; }

std::size_t Server::connections() const noexcept { return state_->size; }

void Server::close() noexcept {
  state_->listener.reset();
  state_->settle();
}

void Server::cancel_connections() noexcept {
  for (State::Member* member = state_->first; member != nullptr; member = member->next)
    member->task.cancel();  // Only enqueues.
}

Event::Wait Server::wait_closed() noexcept { return state_->closed.wait(); }

Co<> Server::stop() {
  close();
  cancel_connections();
  bool cancelled = false;
  while (!state_->closed.is_set()) {
    try {
      co_await wait_closed();
    } catch (const Cancelled&) {
      cancelled = true;
    }
  }
  if (cancelled) throw Cancelled{};
}

Server start_server(Loop& loop, const std::string& host, std::uint16_t port, Server::Handler handler) {
  auto state = std::make_shared<Server::State>(loop, std::move(handler));
  state->listen(host, port);
  return Server(std::move(state));
}

}  // namespace gather::async
