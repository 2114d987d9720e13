#include "core/net/head.hpp"

#include <catch2/catch.hpp>

#include <initializer_list>

using gather::net::HeadReader;

namespace {

/// The fault found in these lines, or nothing.
std::string fault_in(std::initializer_list<const char*> lines) {
  HeadReader reader;
  for (const char* line : lines)
    if (!reader.read(line)) return reader.fault();
  return "";
}

}  // namespace

TEST_CASE("the head of the final answer is kept, interim ones are not", "[net][head]") {
  HeadReader reader;
  for (const char* line : {"HTTP/1.1 103 Early\r\n", "Content-Length: 7\r\n", "\r\n", "HTTP/1.1 503 Busy\r\n",
                           "RETRY-AFTER:  120 \r\n", "Location: /x\r\n"})
    reader.read(line);
  CHECK_FALSE(reader.complete());
  reader.read("\r\n");
  CHECK(reader.complete());
  CHECK(reader.head().status == 503);
  CHECK_FALSE(reader.head().length.has_value());
  CHECK(reader.head().retry_after == "120");
  CHECK(reader.head().has_location);
}

TEST_CASE("C44: a length that is no number below 2^63 is refused", "[net][head]") {
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: 9223372036854775807\r\n"}).empty());
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: 9223372036854775808\r\n"}) ==
        "sent a length that is none: \"9223372036854775808\"");
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: 99999999999999999999999\r\n"}) ==
        "sent a length that is none: \"99999999999999999999999\"");
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: -1\r\n"}) == "sent a length that is none: \"-1\"");
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: +1\r\n"}) == "sent a length that is none: \"+1\"");
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length:\r\n"}) == "sent a length that is none: \"\"");
}

TEST_CASE("C45: two lengths must agree", "[net][head]") {
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: 5\r\n", "content-length: 5\r\n"}).empty());
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Content-Length: 5\r\n", "content-length: 6\r\n"}) ==
        "sent two different lengths, 5 and 6");
}

TEST_CASE("a transfer coding that was not asked for is refused", "[net][head]") {
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Transfer-Encoding: Chunked\r\n"}).empty());
  CHECK(fault_in({"HTTP/1.1 200\r\n", "Transfer-Encoding: gzip, chunked\r\n"}) ==
        "sent the body in a coding that was not asked for: \"gzip, chunked\"");
}

TEST_CASE("a head that is garbage is harmless", "[net][head]") {
  CHECK(fault_in({"HTTP/", "HTTP/1.1", "HTTP/1.1 xyz", ":", "no colon", "\x1b[2J: \xff"}).empty());
}
