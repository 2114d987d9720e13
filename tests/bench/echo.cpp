/// Round trips of 64 bytes over TCP connections on the loopback, or over Unix sockets. echo.py is the same in
/// Python.
///
///     bench_echo server CONNECTIONS [PATH]             Prints its port, or PATH, on a line.
///     bench_echo client CONNECTIONS TRIPS PORT|PATH    TRIPS on each connection.
///
/// The server ends after so many connections.
/// At the end each prints {"cpu_s": …}, without the program's own start.
#include "core/async/combine/gather.hpp"
#include "core/async/io/connect.hpp"
#include "core/async/io/server.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"
#include "tests/bench/measure.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace gather::async;

namespace {

constexpr std::size_t message_size = 64;

/// With `handler`, on `path`, or on a free port if that is empty.
Co<Server> serve_with(Server::Handler handler, std::string path) {
  if (path.empty()) return start_server(std::move(handler), "127.0.0.1", 0);
  return start_unix_server(std::move(handler), std::move(path));
}

Co<Stream> connect_to(const std::string& where) {
  if (where.contains('/')) return open_unix_connection(where);
  return open_connection("127.0.0.1", static_cast<std::uint16_t>(std::stoi(where)));
}

Co<> serve(long connections, std::string path) {
  Future<> last = get_running_loop().create_future<>();
  const Server server = co_await serve_with(
      [&connections, &last](Stream stream) -> Co<> {
        for (;;) {
          const std::string data = co_await stream.read(64 * 1024);
          if (data.empty()) break;
          stream.write(data);
          co_await stream.drain();
        }
        if (--connections == 0) last.set_result();
      },
      path);
  std::puts(path.empty() ? std::to_string(server.port()).c_str() : path.c_str());
  std::fflush(stdout);
  co_await last;
}

Co<> converse(std::string where, long trips) {
  Stream stream = co_await connect_to(where);
  const std::string message(message_size, 'x');
  for (long i = 0; i < trips; ++i) {
    stream.write(message);
    co_await stream.drain();
    const std::string answer = co_await stream.readexactly(message_size);
    if (answer != message) std::exit(1);
  }
}

Co<> ask(std::string where, long connections, long trips) {
  std::vector<Co<>> bodies;
  for (long i = 0; i < connections; ++i) bodies.push_back(converse(where, trips));
  co_await gather::async::gather(std::move(bodies));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool is_server = std::string_view(argv[1]) == "server";
  if (!is_server && argc < 5) return 2;
  const long connections = std::atol(argv[2]);
  Loop loop;
  const double start = gather::bench::cpu_seconds();
  if (is_server)
    loop.run(serve(connections, argc > 3 ? argv[3] : ""));
  else
    loop.run(ask(argv[4], connections, std::atol(argv[3])));
  std::printf("{\"cpu_s\": %f}\n", gather::bench::cpu_seconds() - start);
}
