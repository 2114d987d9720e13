#include "tests/support/replies.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace gather::test {

using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

Reply cut(std::string_view bytes, std::size_t body, Then how) {
  const std::size_t head = bytes.find("\r\n\r\n") + 4;
  return {std::string(bytes.substr(0, std::min(head + body, bytes.size()))), how};
}

std::string claiming(std::size_t length, std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", length, body);
}

std::string with_two_lengths(std::size_t first, std::size_t second, std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Length: {}\r\n\r\n{}", first, second,
                     body);
}

Reply without_length(std::string_view body) {
  return {fmt::format("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", body), Then::close};
}

std::string with_bad_chunk(std::string_view body) {
  return chunked_response(body, std::max<std::size_t>(body.size(), 1), false) + "xyz\r\nabc\r\n0\r\n\r\n";
}

std::string redirect(std::string_view location, int status) {
  return response(status, "moved", fmt::format("Location: {}\r\n", location));
}

std::string busy(int status, std::chrono::seconds retry_after) {
  return response(status, "busy", fmt::format("Retry-After: {}\r\n", retry_after.count()));
}

std::string busy_until(int status, std::chrono::system_clock::time_point when) {
  const std::tm date = fmt::gmtime(std::chrono::system_clock::to_time_t(when));
  return response(status, "busy", fmt::format("Retry-After: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", date));
}

}  // namespace gather::test
