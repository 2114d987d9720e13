#include "tests/unit/descriptors.hpp"
#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace gather;
using namespace gather::test;
using process::Exit;

namespace {

/// What came of a program that was stopped.
struct Stopped {
  process::ProcessResult result;
  bool cancelled = false;
  Duration took{};      // From the first cancel to the end.
  std::string session;  // The first line of its output, where it wrote $$.
};

/// Runs `script`, waits until it has written its first line, and cancels it `times`, so far apart; by 0 in
/// the same step.
Stopped stop(const std::string& script, const process::StopPolicy& policy, int times = 1,
             StartPath path = StartPath::automatic, Duration apart = 20ms) {
  Loop loop;
  const auto starter = starter_on(loop, path);
  Stopped stopped;
  loop.run([](Loop& on, process::Starter& from, const std::string& text, const process::StopPolicy& with,
              int cancels, Duration between, Stopped& into) -> Co<> {
    auto task = on.create_task(process::run_process(
        from, {.argv = {"sh", "-c", text}, .environment = {"PATH=/usr/bin:/bin"}}, with, into.result));
    REQUIRE(co_await eventually([&] { return into.result.out.size() > 0 || task.done(); }));
    const auto began = on.now();
    task.cancel();
    while (--cancels > 0) {
      if (between > Duration(0)) co_await async::sleep(between);
      task.cancel();
    }
    REQUIRE(co_await eventually([&] { return task.done(); }));
    into.cancelled = task.cancelled();
    into.took = on.now() - began;
    const std::string output = text_of(into.result.out);
    into.session = output.substr(0, output.find('\n'));
    REQUIRE(co_await eventually([&] { return count_alive(3, into.session) == 0; }));
  }(loop, *starter, script, policy, times, apart, stopped));
  CHECK(!has_children());
  return stopped;
}

}  // namespace

TEST_CASE("a cancelled program gets the polite signal, and its end is known", "[process][stop]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Stopped stopped =
      stop("trap 'echo bye; exit 9' TERM; echo $$; while :; do sleep 0.01; done", {.grace = 1500ms}, 1, path);
  CHECK(stopped.cancelled);
  CHECK(stopped.result.exit == Exit{.code = 9});
  CHECK(!stopped.result.killed);
  CHECK(!stopped.result.leaked);
  CHECK(text_of(stopped.result.out) == stopped.session + "\nbye\n");
}

TEST_CASE("two cancels at once kill at once, though the program is told of one", "[process][stop]") {
  const Stopped stopped = stop("trap '' TERM; echo $$; while :; do sleep 0.01; done", {.grace = 1h}, 2,
                               StartPath::automatic, 0ms);
  CHECK(stopped.cancelled);
  CHECK(stopped.result.exit == Exit{.signal = SIGKILL});
  CHECK(stopped.result.killed);
}

TEST_CASE("the polite signal is the policy's", "[process][stop]") {
  constexpr static int interrupt = SIGINT;
  const Stopped stopped = stop("trap 'exit 5' INT; trap '' TERM; echo $$; while :; do sleep 0.01; done",
                               {.signal = &interrupt, .grace = 1500ms});
  CHECK(stopped.result.exit == Exit{.code = 5});
}

TEST_CASE("a program that ignores the polite signal is killed after its grace", "[process][stop]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Stopped stopped =
      stop("trap '' TERM; echo $$; while :; do sleep 0.01; done", {.grace = 60ms}, 1, path);
  CHECK(stopped.cancelled);
  CHECK(stopped.result.exit == Exit{.signal = SIGKILL});
  CHECK(stopped.result.killed);
  CHECK(stopped.took >= 60ms);
  CHECK(stopped.took < 1s);
}

TEST_CASE("a second cancel kills at once, and more do no harm", "[process][stop]") {
  const int times = GENERATE(2, 5);
  const Stopped stopped = stop("trap '' TERM; echo $$; while :; do sleep 0.01; done", {.grace = 1h}, times);
  CHECK(stopped.cancelled);
  CHECK(stopped.result.exit == Exit{.signal = SIGKILL});
  CHECK(stopped.result.killed);
}

TEST_CASE("a group's members get the whole grace, also when their leader has gone", "[process][stop]") {
  const Stopped stopped = stop(
      "(trap 'sleep 0.3; echo cleaned up; exit' TERM; echo $$; while :; do sleep 0.01; done) & "
      "trap 'exit 1' TERM; wait",
      {.grace = 1800ms, .leak_timeout = 10ms});
  CHECK(text_of(stopped.result.out) == stopped.session + "\ncleaned up\n");
  CHECK(!stopped.result.killed);
}

TEST_CASE("members of the group that ignore the polite signal are killed with it", "[process][stop]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Stopped stopped =
      stop("(trap '' TERM; echo $$; exec >/dev/null 2>&1; while :; do sleep 0.01; done) & wait",
           {.grace = 50ms}, 1, path);
  CHECK(stopped.result.killed);
}

TEST_CASE("a program that has stopped itself can be stopped for good", "[process][stop]") {
  const Stopped polite = stop("echo $$; kill -STOP $$; echo never", {.grace = 1500ms});
  CHECK(polite.result.exit == Exit{.signal = SIGTERM});
  CHECK(!polite.result.killed);
  const Stopped stubborn =
      stop("trap 'kill -STOP $$' TERM CONT; echo $$; while :; do kill -STOP $$; done", {.grace = 50ms});
  CHECK(stubborn.result.exit == Exit{.signal = SIGKILL});
  CHECK(stubborn.result.killed);
}

TEST_CASE("a timeout around a program stops it and is told as a timeout", "[process][stop]") {
  Loop loop;
  const auto starter = starter_on(loop);
  process::ProcessResult result;
  const process::StopPolicy policy;
  CHECK_THROWS_AS(
      loop.run(async::timeout(
          30ms, [&] { return process::run_process(*starter, {.argv = {"sleep", "100"}}, policy, result); })),
      async::TimeoutError);
  CHECK(result.exit == Exit{.signal = SIGTERM});
  CHECK(result.usage);
}

TEST_CASE("a program that was cancelled before it began is not started", "[process][stop]") {
  Loop loop;
  const auto starter = starter_on(loop);
  process::ProcessResult result;
  const process::StopPolicy policy;
  const auto cancelled = loop.run([](Loop& on, auto& from, auto& with, auto& into) -> Co<bool> {
    auto task = on.create_task([](auto& starting, auto& stopping, auto& filled) -> Co<> {
      (co_await async::this_task()).cancel();
      co_await process::run_process(starting, {.argv = {"true"}}, stopping, filled);
    }(from, with, into));
    co_await eventually([&] { return task.done(); });
    co_return task.cancelled();
  }(loop, *starter, policy, result));
  CHECK(cancelled);
  CHECK(!result.exit);
}

TEST_CASE("a loop that ends takes the programs that still run with it", "[process][stop]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  process::ProcessResult result;
  const process::StopPolicy policy;
  {
    Loop loop;
    const auto starter = starter_on(loop, path);
    loop.run([](Loop& on, auto& from, auto& with, auto& into) -> Co<> {
      on.create_task(
          process::run_process(from, {.argv = {"sh", "-c", "echo up; exec sleep 100"}}, with, into));
      co_await eventually([&] { return into.out.size() > 0; });
    }(loop, *starter, policy, result));
  }
  CHECK(result.exit == Exit{.signal = SIGTERM});
  CHECK(!has_children());
}

TEST_CASE("a child that is dropped is killed and reaped", "[process][stop]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const auto descriptors = open_descriptors();
  {
    Loop loop;
    const auto starter = starter_on(loop, path);
    process::Bell bell;
    const async::ChildSpec spec{.argv = {"sh", "-c", "sleep 100 & sleep 100"}};
    CHECK(loop.run(starter->start(spec, bell, {1s})));  // And dropped at once.
  }
  CHECK(!has_children());
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("a cancel at any moment leaves nothing behind", "[process][stop]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const auto descriptors = open_descriptors();
  {
    Loop loop;
    const auto starter = starter_on(loop, path);
    const process::StopPolicy policy{.grace = 1s, .leak_timeout = 20ms};
    const int bad =
        loop.run([](Loop& on, process::Starter& from, const process::StopPolicy& with) -> Co<int> {
          int count = 0;
          for (int i = 0; i < 60; ++i) {
            process::ProcessResult result;
            auto task = on.create_task(process::run_process(
                from, {.argv = {"sh", "-c", "echo x; sleep 0.002 & sleep 0.001"}}, with, result));
            co_await async::sleep(i * 100us);
            task.cancel();
            if (i % 3 == 0) task.cancel();
            if (!co_await eventually([&] { return task.done(); }) || has_children()) ++count;
            if (task.cancelled() && i > 0 && !result.exit) ++count;
          }
          co_return count;
        }(loop, *starter, policy));
    CHECK(bad == 0);
  }
  CHECK(open_descriptors() == descriptors);
}
