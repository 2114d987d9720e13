#include "core/async/loop/runner.hpp"

#include "core/async/task/error.hpp"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;

namespace {

Co<int> give(int value) { co_return value; }

Co<> note_the_end(std::string& log) {
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    log += "cancelled ";
  }
  co_await sleep(1ms);
  log += "cleaned up";
}

// Catch handles it while a test runs; here it is to have its default action.
class DefaultInterrupt {
 public:
  DefaultInterrupt() : before_(signal(SIGINT, SIG_DFL)) {}
  DefaultInterrupt(const DefaultInterrupt&) = delete;
  DefaultInterrupt& operator=(const DefaultInterrupt&) = delete;
  ~DefaultInterrupt() { signal(SIGINT, before_); }

 private:
  void (*before_)(int);
};

Co<int> interrupt_myself(std::string& log, bool swallow) {
  raise(SIGINT);
  try {
    co_await sleep(10s);
  } catch (const Cancelled&) {
    log += "cancelled ";
    if (!swallow) throw;
  }
  co_await sleep(1ms);
  co_return 7;
}

}  // namespace

TEST_CASE("R2: run cancels what main left behind, waits for it, and reports its errors", "[async][runner]") {
  std::string log;
  std::vector<std::string> heard;
  Runner runner;
  runner.loop().set_exception_handler([&](const Complaint& complaint) {
    heard.push_back(complaint.message + ": " + describe(complaint.error));
  });
  runner.run([](std::string& text) -> Co<> {
    create_task(note_the_end(text));
    create_task(
        []() -> Co<> {
          try {
            co_await sleep(1h);
          } catch (const Cancelled&) {
            throw std::runtime_error("cleanup failed");
          }
        }(),
        "broken");
    co_await yield();
  }(log));
  CHECK(log == "");
  runner.close();
  CHECK(log == "cancelled cleaned up");
  CHECK(heard ==
        std::vector<std::string>{"task broken failed, and nobody asked for its result: cleanup failed"});
}

TEST_CASE("R3: Ctrl-C cancels main, its cleanup runs, and Interrupted leaves", "[async][runner][signal]") {
  const DefaultInterrupt by_default;
  std::string log;
  CHECK_THROWS_AS(run(interrupt_myself(log, false)), Interrupted);
  CHECK(log == "cancelled ");
}

TEST_CASE("R3: main that was cancelled by somebody else is no interruption", "[async][runner][signal]") {
  CHECK_THROWS_AS(run([]() -> Co<> {
                    current_task().cancel();
                    co_await yield();
                  }()),
                  Cancelled);
}

TEST_CASE("R3: a second Ctrl-C ends the process at once, also when a step hangs", "[async][runner][signal]") {
  const int status = std::system(INTERRUPTED_TWICE);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + SIGINT);  // As the shell between us tells it.
}

TEST_CASE("R4: if main swallows the cancel its value is returned", "[async][runner][signal]") {
  const DefaultInterrupt by_default;
  std::string log;
  CHECK(run(interrupt_myself(log, true)) == 7);
  CHECK(log == "cancelled ");
}

TEST_CASE("R4: one runner can run several mains; a nested run is an error", "[async][runner]") {
  Runner runner;
  CHECK(runner.run(give(1)) == 1);
  CHECK(runner.run(give(2)) == 2);
  runner.run([]() -> Co<> {
    CHECK_THROWS_AS(run(give(3)), InvalidState);
    co_return;
  }());
  runner.close();
  CHECK_THROWS_AS(runner.run(give(4)), InvalidState);
}

TEST_CASE("a run leaves SIGINT as it found it, and alone where it is ignored", "[async][runner][signal]") {
  const DefaultInterrupt by_default;
  run(give(1));
  struct sigaction action{};
  sigaction(SIGINT, nullptr, &action);
  CHECK(action.sa_handler == SIG_DFL);
  signal(SIGINT, SIG_IGN);
  CHECK(run([]() -> Co<int> {
          raise(SIGINT);
          co_await sleep(1ms);
          co_return 1;
        }()) == 1);
}
