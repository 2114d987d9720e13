#include "core/testing/testing.hpp"

#include "core/async/async.hpp"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <uv.h>

#include <array>
#include <cstdio>
#include <memory>

using namespace std::chrono_literals;
using namespace gather::async;
using Catch::Contains;
using gather::testing::Limits;
using gather::testing::run;
using gather::testing::run_virtual;
using gather::testing::TestFailure;

namespace {

// What `test` throws, as text; empty if nothing.
template <class Failure, class Test>
std::string failure_of(Test test) {
  try {
    test();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return {};
}

Co<> wait_for_ever() { co_await Event().wait(); }

}  // namespace

TEST_CASE("a body may take the loop or not, and gives its value", "[testing]") {
  const auto with = [](Loop& loop) -> Co<bool> { co_return &loop == &get_running_loop(); };
  const auto without = []() -> Co<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  CHECK(run(with));
  CHECK(run_virtual(with));
  CHECK(*run(without) == 7);
  CHECK(*run_virtual(without) == 7);
}

TEST_CASE("what a body throws leaves the call, and what it left is cancelled first", "[testing]") {
  bool unwound = false;
  const auto note_unwinding = [](bool& into) -> Co<> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      into = true;
      throw;
    }
  };
  CHECK_THROWS_AS(run_virtual([&](Loop& loop) -> Co<> {
                    loop.create_task(note_unwinding(unwound));
                    co_await yield();
                    co_await yield();
                    throw std::out_of_range("mine");
                  }),
                  std::out_of_range);
  CHECK(unwound);
}

TEST_CASE("hours of virtual time take no time", "[testing]") {
  CHECK(run_virtual([](Loop& loop) -> Co<gather::Duration> {
          const TimePoint start = loop.now();
          co_await sleep(24h);
          co_return loop.now() - start;
        }) == 24h);
}

TEST_CASE("a body that is not done in time fails with what its tasks wait for", "[testing]") {
  const std::string why = failure_of<TestFailure>([] {
    run(
        [](Loop& loop) -> Co<> {
          const Task<> stuck = loop.create_task(wait_for_ever(), "stuck");
          co_await stuck;
        },
        Limits{.time = 20ms});
  });
  CHECK_THAT(why, Contains("not done after 20 ms"));
  CHECK_THAT(why, Contains("task main\n"));
  CHECK_THAT(why, Contains("  task stuck\n"));
  CHECK_THAT(why, Contains("testing_test.cpp"));
}

TEST_CASE("a body in virtual time that goes on for ever fails after real time", "[testing]") {
  CHECK_THROWS_AS(run_virtual(
                      []() -> Co<> {
                        for (;;) co_await sleep(1ms);
                      },
                      Limits{.time = 20ms}),
                  TestFailure);
  CHECK_THROWS_AS(run_virtual(
                      []() -> Co<> {
                        for (;;) co_await yield();
                      },
                      Limits{.time = 20ms}),
                  TestFailure);
}

TEST_CASE("a deadlock in virtual time tells who waits", "[testing]") {
  const std::string why = failure_of<Deadlock>([] { run_virtual(wait_for_ever); });
  CHECK_THAT(why, Contains("virtual loop: nothing is ready"));
  CHECK_THAT(why, Contains("task main\n"));
}

TEST_CASE("a test that ignores its cancel is told of and aborted", "[testing]") {
  std::FILE* const pipe = popen(NEVER_DONE " 2>&1", "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> piece;
  while (std::fgets(piece.data(), piece.size(), pipe) != nullptr) text += piece.data();
  const int status = pclose(pipe);
  CHECK_THAT(text, Contains("not done after 10 ms"));
  CHECK_THAT(text, Contains("They were cancelled, and go on."));
  CHECK(status != 0);
}

TEST_CASE("a task that still waits when the body is done fails the test", "[testing]") {
  const auto body = [](Loop& loop) -> Co<> {
    loop.create_task(wait_for_ever(), "forgotten");
    co_return;
  };
  CHECK_THAT(failure_of<TestFailure>([&] { run_virtual(body); }),
             Contains("left 1 task waiting") && Contains("task forgotten"));
  CHECK_THAT(failure_of<TestFailure>([&] { run(body); }), Contains("task forgotten"));
  CHECK_NOTHROW(run_virtual(body, Limits{.may_leave_tasks = true}));
}

TEST_CASE("a task that can end without waiting is not left behind", "[testing]") {
  CHECK_NOTHROW(run_virtual([](Loop& loop) -> Co<> {
    const Task<> cancelled = loop.create_task(wait_for_ever());
    co_await yield();
    cancelled.cancel();
  }));
}

TEST_CASE("a libuv handle that nobody closed fails the test", "[testing]") {
  uv_timer_t timer;
  const auto body = [&](Loop& loop) -> Co<> {
    uv_timer_init(&loop.poller().uv(), &timer);
    uv_timer_start(&timer, [](uv_timer_t*) {}, 3'600'000, 0);
    co_return;
  };
  CHECK_THAT(failure_of<TestFailure>([&] { run(body); }), Contains("open handles of libuv: timer"));
}

TEST_CASE("streams, servers and watches that the body closed are not left behind", "[testing]") {
  CHECK_NOTHROW(run([](Loop& loop) -> Co<> {
    const auto greet = [](Stream stream) -> Co<> {
      stream.write("hello\n");
      co_await stream.drain();
    };
    Server server = co_await start_server(greet, "127.0.0.1", 0);
    Stream stream = co_await open_connection("127.0.0.1", server.port());
    CHECK(co_await stream.readline() == "hello\n");
    const SignalWatch watch(loop, SIGUSR1, [](int) {});
  }));
}

TEST_CASE("an error that nobody was told of fails the test, unless the body hears of it", "[testing]") {
  const auto fails = []() -> Co<> {
    co_await yield();
    throw std::runtime_error("boom");
  };
  const auto body = [&](Loop& loop) -> Co<> {
    loop.create_task(fails(), "unheard");
    co_return;
  };
  CHECK_THAT(failure_of<TestFailure>([&] { run_virtual(body); }),
             Contains("task unheard failed") && Contains("boom"));
  std::string heard;
  CHECK_NOTHROW(run_virtual([&](Loop& loop) -> Co<> {
    loop.set_exception_handler([&](const Complaint& complaint) { heard = complaint.message; });
    co_await body(loop);
  }));
  CHECK(heard == "task unheard failed, and nobody asked for its result");
}
