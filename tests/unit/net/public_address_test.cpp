#include "core/net/public_address.hpp"

#include "tests/unit/net/fetch.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>

using namespace gather::net;
using namespace gather::test;

namespace {

sockaddr_storage address_of(const std::string& text) {
  sockaddr_storage storage{};
  if (text.find(':') == std::string::npos) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    REQUIRE(inet_pton(AF_INET, text.c_str(), &address.sin_addr) == 1);
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    REQUIRE(inet_pton(AF_INET6, text.c_str(), &address.sin6_addr) == 1);
  }
  return storage;
}

bool is_public(const std::string& text) {
  const sockaddr_storage storage = address_of(text);
  return gather::net::is_public(reinterpret_cast<const sockaddr&>(storage));
}

}  // namespace

TEST_CASE("C54: what is no address of the public internet, to both ends of each block", "[net][public]") {
  const std::string text =
      GENERATE("0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
               "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
               "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.0",
               "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.255",
               "224.0.0.1", "239.255.255.255", "240.0.0.0", "255.255.255.255", "::", "::1", "::7f00:1",
               "::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1",
               "2001::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::1", "2002:c0a8:101::1", "3fff::1",
               "3fff:fff::1", "4000::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "ffff::1");
  CAPTURE(text);
  CHECK_FALSE(is_public(text));
}

TEST_CASE("public addresses, those just beside the others among them", "[net][public]") {
  const std::string text = GENERATE(
      "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
      "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0",
      "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.114.0",
      "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2000::1", "2001:200::1",
      "2001:4860:4860::8888", "2002:808:808::1", "2600::1", "3fff:1000::1");
  CAPTURE(text);
  CHECK(is_public(text));
}

TEST_CASE("an address of another family is not public, and has no text", "[net][public]") {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  CHECK_FALSE(gather::net::is_public(reinterpret_cast<const sockaddr&>(address)));
  CHECK(text_of(reinterpret_cast<const sockaddr&>(address)).empty());
  const sockaddr_storage six = address_of("2001:db8::1");
  CHECK(text_of(reinterpret_cast<const sockaddr&>(six)) == "2001:db8::1");
}

TEST_CASE("C54: with public_only nothing else is connected to, also where a connection is at hand",
          "[net][public]") {
  const ScriptedServer server([](const auto&) { return ScriptedServer::Reply{response(200, "hello")}; });
  gather::async::Loop loop;
  Session session(loop);
  const auto fetch_it = [&](const Transport& transport) {
    return describe(loop.run(download(session, {.url = server.url(), .transport = transport})));
  };
  CHECK(fetch_it({}) == "200, 5 bytes");
  CHECK(fetch_it({.public_only = true}) ==
        "connect: HOST is at 127.0.0.1, which is no public address, and only those are asked (public_only)");
  CHECK(fetch_it({.unix_socket = "/nowhere", .public_only = true}) ==
        "connect: HOST is at a Unix socket, which is no public address, and only those are asked "
        "(public_only)");
  CHECK(server.connections() == 1);
}
