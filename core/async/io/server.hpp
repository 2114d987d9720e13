/// A TCP server: asyncio's start_server.
#pragma once

#include "core/async/combine/timeout.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/sync/event.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace gather::async {

class Loop;

/// Accepts connections and runs the handler for each, in a task of its own. Made by start_server; with_server
/// is the form that waits for the handlers whatever happens.
///
/// A handler that ends closes its stream. A StreamError or IncompleteRead that leaves it only ends its
/// connection: that a peer went away is no news. Anything else goes to the loop's exception handler too.
class Server {
 public:
  /// Called in the new task with the connection. The server keeps it until the last connection has ended.
  using Handler = std::function<Co<>(Stream)>;

  Server(Server&&) noexcept = default;
  Server& operator=(Server&&) = delete;
  /// Stops accepting, and cancels the handlers, which end in later passes. So what they refer to must live
  /// until then, or stop() be awaited before.
  ~Server();

  /// Where it listens; the port it was given if that was not 0.
  std::uint16_t port() const noexcept;

  /// How many handlers have not ended.
  std::size_t connections() const noexcept;

  /// Stops accepting, at once. The connections there are go on. Can be repeated.
  void close() noexcept;

  /// Cancels every handler.
  void cancel_connections() noexcept;

  /// Resumes when the server is closed, by whomever, and its last handler has ended.
  Event::Wait wait_closed() noexcept;

  /// Stops accepting, cancels every handler and waits for the last to end, also if the caller is cancelled
  /// meanwhile; the cancel is then thrown afterwards.
  Co<> stop();

 private:
  friend Server start_server(Loop& loop, const std::string& host, std::uint16_t port, Handler handler);
  struct State;
  explicit Server(std::shared_ptr<State> state) noexcept;

  std::shared_ptr<State> state_;  // Every handler's task keeps it too.
};

/// Listens on a numeric address, of which port 0 is any free port. Connections are accepted as soon as this
/// has returned, and handled when the loop runs.
///
/// Throws gather::Error with the remedy if the address is in use or not allowed.
Server start_server(Loop& loop, const std::string& host, std::uint16_t port, Server::Handler handler);

/// Runs `body(server)`, a callable `Co<T>(Server&)`, and stops the server when that ends, in whatever way;
/// gives its value or throws what it threw. So the handlers may refer to anything that outlives this call.
template <class Body>
Co<BodyValue<Body, Server&>> with_server(Server server, Body body) {
  using Value = BodyValue<Body, Server&>;
  std::conditional_t<std::is_void_v<Value>, Nothing, std::optional<Value>> value;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<Value>)
      co_await body(server);
    else
      value.emplace(co_await body(server));
  } catch (...) {
    error = std::current_exception();
  }
  co_await server.stop();
  if (error) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<Value>) co_return std::move(*value);
}

}  // namespace gather::async
