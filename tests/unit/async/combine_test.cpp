#include "core/async/combine/gather.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<int> value_after(gather::Duration length, int value) {
  co_await sleep(length);
  co_return value;
}

Co<int> fail_after(gather::Duration length) {
  co_await sleep(length);
  throw std::runtime_error("failed");
}

template <class... Bodies>
std::vector<Co<int>> list(Bodies... bodies) {
  std::vector<Co<int>> result;
  (result.push_back(std::move(bodies)), ...);
  return result;
}

}  // namespace

TEST_CASE("G1: results come in the order given, whatever the order of completion", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    const auto values = co_await gather::async::gather(list(value_after(3ms, 1), value_after(1ms, 2)));
    CHECK(values == std::vector<int>{1, 2});
    CHECK(loop.now() == TimePoint(3ms));
    CHECK((co_await gather::async::gather(std::vector<Co<int>>{})).empty());
  });
}

TEST_CASE("G2: the first failure reaches the caller at once, and the others run on", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(
        co_await gather::async::gather(list(value_after(5ms, 1), fail_after(1ms), fail_after(2ms))),
        std::runtime_error);
    CHECK(loop.now() == TimePoint(1ms));
    CHECK(loop.all_tasks().size() == 3);
    co_await sleep(10ms);
    CHECK(loop.all_tasks().size() == 1);
  });
}

TEST_CASE("G3: settled, failures stand in their places", "[async][gather]") {
  run_virtual([](Loop&) -> Co<> {
    const auto results = co_await gather_settled(list(value_after(2ms, 1), fail_after(1ms)));
    CHECK(results[0] == 1);
    CHECK(describe(results[1].error()) == "failed");
  });
}

TEST_CASE("G5: cancelling a gather cancels every child and always raises", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task(
        []() -> Co<> { co_await gather_settled(list(value_after(1h, 1), value_after(2h, 2))); }());
    co_await sleep(1ms);
    task.cancel();
    co_await sleep(1ms);
    CHECK(task.cancelled());
    CHECK(loop.all_tasks().size() == 1);
  });
}

TEST_CASE("a thousand coroutines behind a semaphore-free gather take as long as the longest",
          "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::vector<Co<int>> bodies;
    for (int i = 0; i < 1000; ++i) bodies.push_back(value_after(std::chrono::milliseconds(i), i));
    const auto values = co_await gather::async::gather(std::move(bodies));
    CHECK(values.back() == 999);
    CHECK(loop.now() == TimePoint(999ms));
  });
}
