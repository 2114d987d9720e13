/// Test bodies on a real loop, with deadlines, and pairs of streams over the loopback interface.
#pragma once

#include "core/async/io/connect.hpp"
#include "core/async/io/server.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"
#include "core/testing/testing.hpp"

#include <optional>
#include <string>
#include <utility>

namespace gather::test {

/// gather::testing::run, whose time limit is for bodies that hang: no test needs it.
template <class Body>
auto run_real(Body body) {
  return testing::run(std::move(body));
}

/// A server on a free port of the loopback interface.
inline async::Server serve(async::Loop& loop, async::Server::Handler handler) {
  return async::listen(loop, {async::Address::numeric("127.0.0.1", 0).value()}, std::move(handler));
}

inline async::Co<async::Stream> connect(const async::Server& server) {
  co_return co_await async::open_connection("127.0.0.1", server.port());
}

/// More than a narrow pair holds on its way, of a period that no chunk size divides.
inline std::string more_than_fits() {
  std::string bytes(3 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

/// Lets the kernel keep about half a megabyte, where it would keep ten by default.
inline void narrow(const async::Stream& stream) {
  const int bytes = 128 * 1024;
  setsockopt(stream.fileno(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  setsockopt(stream.fileno(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

/// Both ends of one connection.
struct Pair {
  async::Stream near;
  async::Stream far;
};

/// A narrow one.
inline async::Co<Pair> connected_pair(async::Loop& loop) {
  struct Accepted {
    std::optional<async::Stream> stream;
    async::Event come;
  } accepted;
  const async::Server server = serve(loop, [&accepted](async::Stream stream) -> async::Co<> {
    accepted.stream.emplace(std::move(stream));
    accepted.come.set();
    co_return;
  });
  async::Stream near = co_await connect(server);
  co_await accepted.come.wait();
  narrow(near);
  narrow(*accepted.stream);
  co_return Pair(std::move(near), *std::move(accepted.stream));
}

/// Everything until the end of the stream.
inline async::Co<std::string> read_all(async::Stream& stream) { co_return co_await stream.read(); }

}  // namespace gather::test
