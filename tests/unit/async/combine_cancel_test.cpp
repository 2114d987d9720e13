#include "core/async/combine/as_completed.hpp"
#include "core/async/combine/cleanup.hpp"
#include "core/async/combine/gather.hpp"
#include "core/async/combine/shield.hpp"
#include "core/async/combine/task_group.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/combine/wait.hpp"
#include "core/async/combine/wait_for.hpp"
#include "core/async/sync/semaphore.hpp"
#include "core/async/task/generator.hpp"
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

AsyncGenerator<int> slow_numbers() {
  co_await finally([]() -> Co<> { co_await sleep(1ms); }, []() -> Co<> { co_await sleep(1ms); });
  try {
    for (int i = 0; i < 2; ++i) {
      co_await sleep(1ms);
      co_yield i;
    }
  } catch (const GeneratorExit&) {
  }
  co_await sleep(1ms);
}

std::vector<Task<int>> two_tasks() {
  std::vector<Task<int>> tasks;
  tasks.push_back(create_task(value_after(1ms, 1)));
  tasks.push_back(create_task(value_after(2ms, 2)));
  return tasks;
}

// Goes through everything that combines, one after the other, in about 20 ms.
Co<> combine_all() {
  co_await for_each(slow_numbers(), [](int) -> Co<> { co_await sleep(1ms); });
  co_await wait_for(value_after(1ms, 1), 1h);
  co_await wait_for(create_task(value_after(1ms, 1)), 1h);
  co_await shield(value_after(1ms, 1));
  co_await gather::async::gather(value_after(1ms, 1), create_task(value_after(2ms, 2)));
  co_await wait(two_tasks(), {.timeout = 1h});
  auto finished = as_completed(two_tasks(), 1h);
  while (co_await finished.next()) {
  }
  co_await task_group([](TaskGroup& group) -> Co<> {
    group.create_task(value_after(2ms, 1));
    co_await timeout(1h, []() -> Co<> { co_await sleep(1ms); });
  });
  Semaphore semaphore(1);
  co_await with(semaphore, []() -> Co<> { co_await sleep(1ms); });
}

}  // namespace

TEST_CASE("cancelled in any pass, what combines ends in order and leaves no timer and no task behind",
          "[async][cancel]") {
  for (int milliseconds = 0; milliseconds < 25; ++milliseconds)
    for (int passes = 0; passes < 4; ++passes)
      run_virtual([&](Loop& loop) -> Co<> {
        auto task = loop.create_task(combine_all());
        if (milliseconds > 0) co_await sleep(std::chrono::milliseconds(milliseconds));
        for (int i = 0; i < passes; ++i) co_await yield();
        const bool cancelled = task.cancel();
        const auto result = co_await gather_settled(task);
        REQUIRE(std::get<0>(result).has_value() == !cancelled);
        co_await sleep(5ms);  // What nobody cancels, behind wait and shield, ends by itself.
        REQUIRE(loop.timers() == 0);
        REQUIRE(loop.all_tasks().size() == 1);
      });
}
