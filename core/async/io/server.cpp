#include "core/async/io/server.hpp"

#include "core/async/io/connection.hpp"
#include "core/async/io/dns.hpp"
#include "core/async/io/listener.hpp"
#include "core/async/loop/running.hpp"
#include "core/base/error.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace gather::async {
namespace {

[[noreturn]] void refuse(const Address& address, int error) {
  const char* remedy = "";
  if (error == EADDRINUSE && address.family() == AF_UNIX)
    remedy = "; another program has that name, or a file that is no socket";
  else if (error == EADDRINUSE)
    remedy = "; stop the program that listens there, or choose another port (0 picks a free one)";
  else if (error == EACCES && address.family() != AF_UNIX)
    remedy = "; ports below 1024 are for root";
  else if (error == EADDRNOTAVAIL)
    remedy = "; this machine has no such address";
  throw Error(ExitStatus::task_failed,
              fmt::format("can't listen on {}: {}{}", address.text(), system_error_text(error), remedy));
}

// Of several addresses, one of a kind that this machine does not have.
bool may_be_passed_over(int error) noexcept { return error == EADDRNOTAVAIL || error == EAFNOSUPPORT; }

std::vector<Listener> listeners_at(Loop& loop, const std::vector<Address>& addresses,
                                   const ServerOptions& options) {
  std::vector<Listener> listeners;
  std::uint16_t port = 0;  // The one that the first was given.
  for (const Address& address : addresses) {
    const bool any_port = address.family() != AF_UNIX && address.port() == 0;
    try {
      if (address.family() == AF_UNIX)
        listeners.push_back(Listener::unix_socket(loop, address, options.cleanup_socket));
      else
        listeners.push_back(
            Listener::tcp(loop, any_port ? address.with_port(port) : address, options.reuse_port));
    } catch (const StreamError& error) {
      const bool last_chance = listeners.empty() && &address == &addresses.back();
      if (addresses.size() > 1 && may_be_passed_over(error.code()) && !last_chance) continue;
      if (any_port && port != 0 && error.code() == EADDRINUSE) throw;  // See listen.
      refuse(address, error.code());
    }
    if (any_port) port = listeners.back().address().port();
  }
  return listeners;
}

}  // namespace

struct Server::State : std::enable_shared_from_this<State> {
  struct Member;

  State(Loop& its_loop, Handler its_handler, const ServerOptions& its_options)
      : loop(its_loop), handler(std::move(its_handler)), options(its_options) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { close_listeners(); }

  void close_listeners() noexcept {
    for (Listener& listener : listeners) listener.close();
    listeners.clear();
  }
  void start_serving();
  static void connected(uv_stream_t* stream, int status) noexcept;
  void accept(uv_stream_t& stream);
  void complain(const char* message) noexcept { loop.complain({message, std::current_exception()}); }
  bool is_closed() const noexcept { return listeners.empty(); }
  void settle() noexcept {
    if (is_closed() && running == 0) stopped.set();
    if (is_closed() && size == 0) closed.set();
  }

  Loop& loop;
  Handler handler;
  ServerOptions options;
  std::vector<Listener> listeners;  // None once closed.
  bool serving = false;
  std::uint16_t port = 0;
  Member* first = nullptr;  // Connections that have not ended.
  std::size_t size = 0;
  std::size_t running = 0;  // Of them, those whose handler has not.
  Event closing;            // It accepts no more.
  Event stopped;            // And the last handler has ended,
  Event closed;             // and the last connection.
};

// A connection's place among those that have not ended; frees itself when its task is done and its handle
// closed.
struct Server::State::Member final : DoneHook, CloseHook {
  Member(std::shared_ptr<State> its_server, TaskCell& its_task, Connection& its_connection)
      : server(std::move(its_server)), task(&its_task), connection(&its_connection), next(server->first) {
    if (next != nullptr) next->previous = this;
    server->first = this;
    ++server->size;
    ++server->running;
    task->add_hook(*this);
    connection->set_close_hook(this);
  }
  void on_done(Cell&) noexcept override {
    task = nullptr;
    --server->running;
    if (connection != nullptr) server->settle();
    leave_if_ended();
  }
  void closed(Connection&) noexcept override {
    connection = nullptr;
    leave_if_ended();
  }
  void leave_if_ended() noexcept {
    if (task != nullptr || connection != nullptr) return;
    (previous != nullptr ? previous->next : server->first) = next;
    if (next != nullptr) next->previous = previous;
    --server->size;
    server->settle();
    delete this;
  }

  std::shared_ptr<State> server;
  TaskCell* task;          // Null once done.
  Connection* connection;  // Null once closed.
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

void Server::State::start_serving() {
  if (is_closed()) throw InvalidState("the server is closed");
  if (serving) return;
  for (Listener& listener : listeners) {
    listener.uv()->data = this;
    if (const int error = uv_listen(listener.uv(), options.backlog, &connected); error != 0)
      refuse(listener.address(), -error);
  }
  serving = true;
}

void Server::State::connected(uv_stream_t* stream, int status) noexcept {
  auto& self = *static_cast<State*>(stream->data);
  try {
    if (status != 0) throw StreamError("accept", -status);
    self.accept(*stream);
  } catch (...) {
    self.complain("a connection was lost");
  }
}

void Server::State::accept(uv_stream_t& stream) {
  ConnectionPtr owned = Connection::make(loop, stream.type == UV_TCP ? Transport::tcp : Transport::pipe);
  Connection& connection = *owned;
  if (const int error = uv_accept(&stream, connection.uv()); error != 0) throw StreamError("accept", -error);
  connection.connected();
  connection.set_limit(options.limit);
  const Task<> task = loop.create_task(serve(handler, loop, Stream(std::move(owned))));
  new Member(shared_from_this(), task.cell(), connection);
}

Server::Server(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}

Server::~Server() {
  if (!state_) return;  // Moved from.
  close();
  cancel_handlers();
}

std::vector<Address> Server::sockets() const {
  std::vector<Address> addresses;
  for (const Listener& listener : state_->listeners) addresses.push_back(listener.address());
  return addresses;
}

std::uint16_t Server::port() const noexcept { return state_->port; }

std::size_t Server::connections() const noexcept { return state_->size; }

void Server::start_serving() { state_->start_serving(); }

bool Server::is_serving() const noexcept { return state_->serving && !state_->is_closed(); }

Co<> Server::serve_forever() {
  start_serving();
  const std::shared_ptr<State> state = state_;
  bool cancelled = false;
  try {
    co_await state->closing.wait();
  } catch (const Cancelled&) {
    cancelled = true;
  }
  if (!cancelled) co_return;
  close();
  co_await state->closed.wait();
  throw Cancelled{};
}

void Server::close() noexcept {
  state_->close_listeners();
  state_->closing.set();
  state_->settle();
}

void Server::close_clients() noexcept {
  for (State::Member* member = state_->first; member != nullptr; member = member->next)
    if (member->connection != nullptr) member->connection->close();  // Only enqueues, as the next two do.
}

void Server::abort_clients() noexcept {
  for (State::Member* member = state_->first; member != nullptr; member = member->next)
    if (member->connection != nullptr) member->connection->abort();
}

void Server::cancel_handlers() noexcept {
  for (State::Member* member = state_->first; member != nullptr; member = member->next)
    if (member->task != nullptr) member->task->cancel();
}

Event::Wait Server::wait_closed() noexcept { return state_->closed.wait(); }

Co<> Server::stop() {
  const std::shared_ptr<State> state = state_;
  close();
  cancel_handlers();
  bool cancelled = false;
  while (!state->stopped.is_set()) {
    try {
      co_await state->stopped.wait();
    } catch (const Cancelled&) {
      cancelled = true;
    }
  }
  if (cancelled) throw Cancelled{};
}

Server listen(Loop& loop, const std::vector<Address>& addresses, Server::Handler handler,
              ServerOptions options) {
  assert(!addresses.empty());
  auto state = std::make_shared<Server::State>(loop, std::move(handler), options);
  // A port that is free for the first address may be taken for the next.
  for (int attempts_left = 16; state->listeners.empty(); --attempts_left) {
    try {
      state->listeners = listeners_at(loop, addresses, options);
    } catch (const StreamError& error) {
      if (attempts_left == 0) refuse(addresses.back(), error.code());
    }
  }
  state->port = state->listeners.front().address().port();
  if (options.start_serving) state->start_serving();
  return Server(std::move(state));
}

Co<Server> start_server(Server::Handler handler, std::string host, std::uint16_t port,
                        ServerOptions options) {
  LookupOptions lookup;
  lookup.family = options.family;
  lookup.type = SOCK_STREAM;
  lookup.flags = AI_PASSIVE;
  const std::vector<AddressInfo> found = co_await getaddrinfo(host, port, lookup);
  std::vector<Address> addresses;
  for (const AddressInfo& info : found)
    if (std::ranges::find(addresses, info.address) == addresses.end()) addresses.push_back(info.address);
  co_return listen((co_await this_task()).loop(), addresses, std::move(handler), options);
}

Co<Server> start_unix_server(Server::Handler handler, std::string path, ServerOptions options) {
  const std::vector<Address> addresses{Address::unix_path(path)};
  co_return listen((co_await this_task()).loop(), addresses, std::move(handler), options);
}

}  // namespace gather::async
