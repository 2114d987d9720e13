#include "core/testing/trace.hpp"

#include "core/async/async.hpp"
#include "core/testing/testing.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::testing::Trace;

TEST_CASE("a trace tells when what happened, from its own beginning", "[testing]") {
  gather::testing::run_virtual([](Loop& loop) -> Co<> {
    co_await sleep(1h);
    Trace trace(loop);
    trace.note("begins");
    co_await sleep(1500us);
    trace.note("goes on");
    co_await sleep(1min);
    trace.note("ends");
    CHECK(trace.text() == "0 ms begins\n1.5 ms goes on\n60001.5 ms ends\n");
  });
}
