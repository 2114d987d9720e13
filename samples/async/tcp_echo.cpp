/// A TCP echo server and its clients, in one program.
#include <gather/async.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using namespace gather::async;

Co<> echo(Stream stream) {
  while (true) {
    const std::string line = co_await stream.readline();
    if (line.empty()) break;  // The peer has said all.
    stream.write(line);
    co_await stream.drain();
  }
}

Co<> client(std::uint16_t port, std::string message) {
  Stream stream = co_await open_connection("127.0.0.1", port);
  std::printf("send: %s\n", message.c_str());
  stream.write(message + "\n");
  co_await stream.drain();
  stream.write_eof();
  std::printf("received: %s", (co_await stream.readline()).c_str());
  stream.close();
  co_await stream.wait_closed();
}

Co<> server_and_clients() {
  co_await with_server(start_server(echo, "127.0.0.1", 0), [](Server& server) -> Co<> {
    co_await client(server.port(), "Hello World!");
    co_await gather::async::gather(client(server.port(), "one"), client(server.port(), "two"));
  });
}

int main() { run(server_and_clients()); }
