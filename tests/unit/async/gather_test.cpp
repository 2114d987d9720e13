#include "core/async/combine/gather.hpp"

#include "core/async/combine/timeout.hpp"
#include "tests/unit/async/clean_up.hpp"
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

Co<int> fail_after(gather::Duration length, std::string text = "failed") {
  co_await sleep(length);
  throw std::runtime_error(text);
}

Co<> sleep_for(gather::Duration length) { co_await sleep(length); }

Co<int> clean_up_for(gather::Duration cleanup) {
  co_await gather::test::clean_up_for(cleanup);
  co_return 1;
}

template <class First, class... Others>
std::vector<First> list(First first, Others... others) {
  std::vector<First> result;
  result.push_back(std::move(first));
  (result.push_back(std::move(others)), ...);
  return result;
}

}  // namespace

TEST_CASE("G1: results come in the order given, whatever the order of completion", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    const auto values = co_await gather::async::gather(list(value_after(3ms, 1), value_after(1ms, 2)));
    CHECK(values == std::vector<int>{1, 2});
    CHECK(loop.now() == TimePoint(3ms));

    const auto first = create_future<std::string>();
    const auto second = create_future<std::string>();
    loop.call_later(2ms, [=] { first.set_result("one"); });
    loop.call_later(1ms, [=] { second.set_result("two"); });
    CHECK(co_await gather::async::gather(list(first, second)) == std::vector<std::string>{"one", "two"});

    co_await gather::async::gather(list(sleep_for(1ms), sleep_for(2ms)));
    CHECK(loop.now() == TimePoint(7ms));
  });
}

TEST_CASE("G1: of nothing, gather has the result at once", "[async][gather]") {
  run_virtual([](Loop&) -> Co<> {
    CHECK((co_await gather::async::gather(std::vector<Co<int>>{})).empty());
    CHECK((co_await gather::async::gather(std::vector<Future<int>>{})).empty());
    CHECK((co_await gather_settled(std::vector<Co<>>{})).empty());
    co_await gather::async::gather(std::vector<Co<>>{});
    CHECK(co_await gather::async::gather() == std::tuple());
  });
}

TEST_CASE("G2: the first failure reaches the caller at once, and the others run on", "[async][gather]") {
  std::vector<std::string> heard;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
    CHECK_THROWS_WITH(co_await gather::async::gather(
                          list(value_after(5ms, 1), fail_after(1ms, "first"), fail_after(2ms, "second"))),
                      "first");
    CHECK(loop.now() == TimePoint(1ms));
    CHECK(loop.all_tasks().size() == 3);
    co_await sleep(10ms);
    CHECK(loop.all_tasks().size() == 1);

    const auto ended = create_future<int>();
    ended.set_exception(std::domain_error("already"));
    CHECK_THROWS_WITH(co_await gather::async::gather(value_after(1ms, 1), ended), "already");
    co_await sleep(1ms);
  });
  CHECK(heard.empty());  // Later errors count as retrieved.
}

TEST_CASE("G3: settled, failures and cancels stand in their places", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto cancelled = loop.create_task(value_after(1h, 3));
    loop.call_later(1ms, [=] { cancelled.cancel(); });
    const auto [value, failure, cancel] =
        co_await gather_settled(value_after(3ms, 1), fail_after(1ms), cancelled);
    CHECK(value == 1);
    CHECK(describe(failure.error()) == "failed");
    CHECK(is_cancelled(cancel.error()));
    CHECK(loop.now() == TimePoint(3ms));

    const auto results = co_await gather_settled(list(value_after(2ms, 1), fail_after(1ms)));
    CHECK(results[0] == 1);
    CHECK(describe(results[1].error()) == "failed");
  });
}

TEST_CASE("G4: a child that somebody else cancelled counts as having thrown Cancelled; the others go on",
          "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    const auto before = create_future<int>();
    const auto cancelled = create_future<int>();
    const auto after = create_future<int>();
    loop.call_later(1ms, [=] { before.set_result(1); });
    loop.call_later(2ms, [=] { cancelled.cancel(); });
    CHECK_THROWS_AS(co_await gather::async::gather(list(before, cancelled, after)), Cancelled);
    CHECK(loop.now() == TimePoint(2ms));
    CHECK(current_task().cancelling() == 0);
    CHECK_FALSE(after.done());
    after.set_result(3);

    const auto lost = create_future<int>();
    loop.call_later(1ms, [=] { lost.cancel(); });
    const auto results = co_await gather_settled(list(before, lost, after));
    CHECK(results[0] == 1);
    CHECK(is_cancelled(results[1].error()));
    CHECK(results[2] == 3);
  });
}

TEST_CASE("G5: cancelling a gather cancels every child and always raises", "[async][gather]") {
  SECTION("when the first child has ended; one that cleans up ends later") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task(gather::async::gather(list(clean_up_for(5ms), clean_up_for(2ms))));
      co_await sleep(1ms);
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(loop.now() == TimePoint(3ms));
      CHECK(loop.all_tasks().size() == 2);
      co_await sleep(3ms);
      CHECK(loop.all_tasks().size() == 1);
    });
  }
  SECTION("settled, when the last child has ended") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task(gather_settled(list(clean_up_for(5ms), clean_up_for(2ms))));
      co_await sleep(1ms);
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(loop.now() == TimePoint(6ms));
      CHECK(loop.all_tasks().size() == 1);
    });
  }
  SECTION("also if every child swallows the cancel and gives a value") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto stubborn = []() -> Co<int> {
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
        }
        co_return 1;
      };
      auto task = loop.create_task(gather::async::gather(list(stubborn(), stubborn())));
      co_await sleep(1ms);
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
    });
  }
  SECTION("also if all children were done in that very pass") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto future = create_future<int>();
      auto task = loop.create_task(gather::async::gather(list(future)));
      co_await yield();
      future.set_result(1);
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
    });
  }
  SECTION("futures are cancelled on the spot") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto first = create_future<int>();
      const auto second = create_future<int>();
      auto task = loop.create_task(gather::async::gather(first, second));
      co_await yield();
      task.cancel();
      CHECK(first.cancelled());
      CHECK(second.cancelled());
      CHECK_THROWS_AS(co_await task, Cancelled);
    });
  }
  SECTION("a timeout around it waits for the settled children") {
    run_virtual([](Loop& loop) -> Co<> {
      CHECK_THROWS_AS(co_await timeout(10ms, [] { return gather_settled(list(clean_up_for(5ms))); }),
                      TimeoutError);
      CHECK(loop.now() == TimePoint(15ms));
      CHECK(current_task().cancelling() == 0);
    });
  }
}

TEST_CASE("G6: cancelling a task whose gather has thrown does not touch the survivors", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto survivor = loop.create_task(value_after(5ms, 7));
    auto task = loop.create_task([](Task<int> its) -> Co<> {
      try {
        co_await gather::async::gather(its, fail_after(1ms));
      } catch (const std::runtime_error&) {
      }
      co_await sleep(1h);
    }(survivor));
    co_await sleep(2ms);
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(co_await survivor == 7);
  });
}

TEST_CASE("G7: what is listed twice runs once and fills both places", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    int runs = 0;
    auto task = loop.create_task([](int& count) -> Co<std::string> {
      ++count;
      co_await sleep(1ms);
      co_return "a value longer than what a string keeps inside";
    }(runs));
    const auto values = co_await gather::async::gather(list(task, task));
    CHECK(values == std::vector<std::string>(2, task.result()));
    const auto [first, second, third] = co_await gather::async::gather(task, value_after(1ms, 2), task);
    CHECK(first == third);
    CHECK(second == 2);
    CHECK(runs == 1);

    auto twice = loop.create_task(clean_up_for(5ms));
    auto gathering = loop.create_task(gather::async::gather(list(twice, twice)));
    co_await yield();
    gathering.cancel();
    CHECK_THROWS_AS(co_await gathering, Cancelled);
    CHECK(twice.cancelling() == 1);
    CHECK(loop.now() == TimePoint(7ms));  // A second request would have cut its cleanup short.
  });
}

TEST_CASE("a few of different types are gathered into a tuple, coroutines, tasks and futures alike",
          "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task([]() -> Co<std::string> { co_return "task"; }());
    const auto future = create_future<double>();
    loop.call_later(5ms, [=] { future.set_result(1.5); });
    auto pointer = []() -> Co<std::unique_ptr<int>> { co_return std::make_unique<int>(4); }();
    const auto [value, text, number, owned, nothing] =
        co_await gather::async::gather(value_after(1ms, 1), task, future, std::move(pointer), sleep_for(2ms));
    CHECK(value == 1);
    CHECK(text == "task");
    CHECK(number == 1.5);
    CHECK(*owned == 4);
    STATIC_REQUIRE(std::is_same_v<decltype(nothing), const Nothing>);
    CHECK(task.result() == "task");  // Not moved out.
    CHECK(loop.now() == TimePoint(5ms));
  });
}

TEST_CASE("values that can only be moved are gathered too", "[async][gather]") {
  run_virtual([](Loop&) -> Co<> {
    const auto make = [](int value) -> Co<std::unique_ptr<int>> { co_return std::make_unique<int>(value); };
    const auto pointers = co_await gather::async::gather(list(make(1), make(2)));
    CHECK(*pointers[1] == 2);
    const auto results = co_await gather_settled(list(make(3)));
    CHECK(**results[0] == 3);
  });
}

TEST_CASE("a thousand coroutines in one gather take as long as the longest", "[async][gather]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::vector<Co<int>> bodies;
    for (int i = 0; i < 1000; ++i) bodies.push_back(value_after(std::chrono::milliseconds(i), i));
    const auto values = co_await gather::async::gather(std::move(bodies));
    CHECK(values.back() == 999);
    CHECK(loop.now() == TimePoint(999ms));
  });
}
