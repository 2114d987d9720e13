/// Servers: asyncio's start_server, start_unix_server and Server.
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
#include <vector>

namespace gather::async {

class Loop;
struct ServerOptions;

/// Accepts connections and runs the handler for each, in a task of its own. Made by start_server and
/// start_unix_server; with_server is the form that waits for the handlers whatever happens.
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

  /// Where it listens; none once it is closed. asyncio gives the sockets themselves.
  std::vector<Address> sockets() const;
  /// The port of the first of them, which it was given if that was not 0. Known also once it is closed.
  std::uint16_t port() const noexcept;

  /// How many connections have not ended: their handler runs, or they are open.
  std::size_t connections() const noexcept;

  /// Accepts, if it was made with start_serving = false. Can be repeated. Throws gather::Error, and
  /// InvalidState after close().
  void start_serving();
  bool is_serving() const noexcept;

  /// Accepts until somebody closes the server. A caller that is cancelled closes it, waits for the
  /// connections there are, as asyncio does, and is then cancelled; close_clients() or stop() shorten that.
  /// Throws InvalidState after close().
  Co<> serve_forever();

  /// Stops accepting, at once, and removes the file of a Unix socket. The connections there are go on. Can be
  /// repeated.
  void close() noexcept;
  /// Closes every connection: what was written is still sent, and a handler that reads gets a StreamError.
  void close_clients() noexcept;
  /// The same without sending.
  void abort_clients() noexcept;
  /// Cancels every handler (ours).
  void cancel_handlers() noexcept;

  /// Resumes when the server is closed, by whomever, and its last connection has ended: its handler, and what
  /// it wrote is sent.
  Event::Wait wait_closed() noexcept;

  /// Stops accepting, cancels every handler and waits for the last to end, also if the caller is cancelled
  /// meanwhile; the cancel is then thrown afterwards (ours). What they wrote is still sent.
  Co<> stop();

 private:
  friend Server listen(Loop& loop, const std::vector<Address>& addresses, Handler handler,
                       ServerOptions options);
  struct State;
  explicit Server(std::shared_ptr<State> state) noexcept;

  std::shared_ptr<State> state_;  // Every handler's task keeps it too.
};

/// See start_server.
struct ServerOptions {
  std::size_t limit = default_limit;  ///< Stream::set_limit of the connections.
  int family = AF_UNSPEC;             ///< AF_INET or AF_INET6: addresses of that kind alone.
  /// How many may wait to be accepted. The kernel cuts it to its own limit (net.core.somaxconn, 4096 since
  /// Linux 5.4). A thousand clients that connect in the same millisecond must not be told to come back a
  /// second later, so it is not asyncio's 100.
  int backlog = 4096;
  bool reuse_port = false;     ///< Other sockets may listen there too, and share the connections.
  bool start_serving = true;   ///< False: bound, but refuses connections until Server::start_serving().
  bool cleanup_socket = true;  ///< close() removes the file of a Unix socket, unless it is another by then.
};

/// Listens on a host's addresses; an empty host is every interface. A name is looked up; numeric addresses
/// never suspend. Port 0 is any free port, the same for all addresses (ours). Connections are accepted as
/// soon as this has resumed, and handled when the loop runs.
///
/// Throws gather::Error with the remedy if an address is in use or not allowed, and DnsError. Of several
/// addresses, those that this machine does not have are passed over.
Co<Server> start_server(Server::Handler handler, std::string host, std::uint16_t port,
                        ServerOptions options = {});

/// Listens on a Unix socket; a path that begins with a NUL is a name in the abstract namespace. A socket that
/// is there already is removed, in use or not; another kind of file is an error. Never suspends.
Co<Server> start_unix_server(Server::Handler handler, std::string path, ServerOptions options = {});

/// The same on addresses that are known, outside of a coroutine too (ours). All are of one kind, Unix or not.
/// Requires: not empty.
Server listen(Loop& loop, const std::vector<Address>& addresses, Server::Handler handler,
              ServerOptions options = {});

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

/// The same with a server that is to be started: `co_await with_server(start_server(…), body)`.
template <class Body>
Co<BodyValue<Body, Server&>> with_server(Co<Server> starting, Body body) {
  Server server = co_await std::move(starting);
  co_return co_await with_server(std::move(server), std::move(body));
}

}  // namespace gather::async
