// Serves one page and fetches it, on one loop.
#include <gather/async.hpp>
#include <gather/net.hpp>

#include <cstdio>

using namespace gather::async;

Co<> answer(Stream client) {
  co_await client.readuntil("\r\n\r\n");
  client.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n");
  co_await client.drain();
}

Co<> serve_and_fetch() {
  Server server = co_await start_server(answer, "127.0.0.1", 0);
  gather::net::Session session(get_running_loop());
  const gather::net::Download page{.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/"};
  const auto result = co_await gather::net::download(session, page);
  std::fputs(std::get<gather::net::Fetched>(result).body.c_str(), stdout);
  co_await server.stop();
}

int main() { run(serve_and_fetch()); }
