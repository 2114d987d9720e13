#include "core/async/io/dns.hpp"

#include "core/async/combine/gather.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <netdb.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_real;

namespace {

LookupOptions for_streams() {
  LookupOptions options;
  options.type = SOCK_STREAM;
  return options;
}

Co<std::string> first_of(std::string host) {
  const auto found = co_await gather::async::getaddrinfo(host, 80, for_streams());
  co_return found.front().address.text();
}

}  // namespace

TEST_CASE("numeric addresses are known without a thread, in the pass that asks", "[async][dns]") {
  bool other_ran = false;  // After the body, too.
  run_real([&](Loop& loop) -> Co<> {
    loop.call_soon([&] { other_ran = true; });
    CHECK(co_await first_of("127.0.0.1") == "127.0.0.1:80");
    CHECK(co_await first_of("::1") == "[::1]:80");
    const auto everywhere = co_await gather::async::getaddrinfo("", 0, [] {
      LookupOptions options = for_streams();
      options.flags = AI_PASSIVE;
      return options;
    }());
    CHECK(std::ranges::any_of(everywhere, [](const auto& info) { return info.address.host() == "0.0.0.0"; }));
    CHECK_FALSE(other_ran);
  });
}

TEST_CASE("localhost has a loopback address", "[async][dns]") {
  run_real([](Loop&) -> Co<> {
    const std::string address = co_await first_of("localhost");
    CHECK((address == "127.0.0.1:80" || address == "[::1]:80"));
  });
}

TEST_CASE("a name that does not exist is a DnsError that says which", "[async][dns]") {
  run_real([](Loop&) -> Co<> {
    try {
      co_await first_of("nowhere.invalid");
      FAIL("it exists");
    } catch (const DnsError& error) {  // Which of the two depends on whether there is a network.
      CHECK((error.code() == EAI_NONAME || error.code() == EAI_AGAIN));
      CHECK_THAT(error.what(), Catch::StartsWith("can't look up nowhere.invalid: "));
    }
    CHECK_THROWS_AS(co_await first_of(std::string(300, 'x')), DnsError);
    CHECK_THROWS_AS(co_await first_of(std::string("a\0b", 3)), DnsError);
  });
}

TEST_CASE("more lookups than may run at once all end, in the order of the calls", "[async][dns]") {
  run_real([](Loop& loop) -> Co<> {
    set_max_lookups(loop, 1);
    std::vector<int> order;
    std::vector<Co<>> lookups;
    for (int i = 0; i < 8; ++i)
      lookups.push_back([](std::vector<int>& ended, int number) -> Co<> {
        co_await first_of("localhost");
        ended.push_back(number);
      }(order, i));
    co_await gather::async::gather(std::move(lookups));
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  });
}

TEST_CASE("a cancelled lookup is left at once, and its place comes back", "[async][dns]") {
  run_real([](Loop& loop) -> Co<> {
    set_max_lookups(loop, 2);
    for (int round = 0; round < 20; ++round) {
      std::vector<Task<std::string>> tasks;
      for (int i = 0; i < 5; ++i) tasks.push_back(loop.create_task(first_of("localhost")));
      for (int i = 0; i < round % 3; ++i) co_await yield();  // Not begun, waiting, or with a thread.
      for (auto& task : tasks) task.cancel();
      co_await yield();
      co_await yield();
      CHECK(std::ranges::all_of(tasks, [](const auto& task) { return task.cancelled() || task.done(); }));
    }
    CHECK_FALSE((co_await first_of("localhost")).empty());
  });
}

TEST_CASE("a lookup that was left may outlive its loop's last run", "[async][dns]") {
  Loop loop;
  for (int i = 0; i < 3; ++i)
    loop.run([](Loop& l) -> Co<> {
      auto task = l.create_task(first_of("localhost"));
      co_await yield();
      co_await yield();
      task.cancel();
    }(loop));
  SUCCEED("closing the loop waits for it");
}

TEST_CASE("getnameinfo gives the numeric form at once, and a name otherwise", "[async][dns]") {
  run_real([](Loop&) -> Co<> {
    const Address address = Address::numeric("127.0.0.1", 80).value();
    const NameInfo numeric = co_await gather::async::getnameinfo(address, NI_NUMERICHOST | NI_NUMERICSERV);
    CHECK((numeric.host == "127.0.0.1" && numeric.service == "80"));
    const NameInfo named = co_await gather::async::getnameinfo(address, NI_NUMERICSERV);
    CHECK_FALSE(named.host.empty());
    CHECK_THROWS_AS(co_await gather::async::getnameinfo(Address()), DnsError);
  });
}
