// Tokens from outside, and a machine that may be overloaded: virtual ones.
#include "core/run/process_leave.hpp"

#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::test::FakeRun;

namespace {

class FakeTokens final : public Tokens {
 public:
  bool take() override {
    if (there == 0) return false;
    --there;
    ++out;
    most_out = std::max(most_out, out);
    return true;
  }
  void give_back() noexcept override {
    ++there;
    --out;
  }
  void watch(std::function<void()> come) override { come_ = std::move(come); }

  /// Somebody else gives some back, or takes some away.
  void change(int number) {
    there += number;
    if (there > 0 && come_) come_();
  }
  bool is_watched() const { return static_cast<bool>(come_); }

  int there = 0;
  int out = 0;
  int most_out = 0;

 private:
  std::function<void()> come_;
};

class FakeMachine final : public Machine {
 public:
  bool has_room() override { return room; }
  bool room = true;
};

}  // namespace

TEST_CASE("each process but one takes a token, and gives it back when it ends", "[run][tokens]") {
  FakeTokens tokens;
  tokens.there = 2;
  FakeRun run;
  run.options.tokens = &tokens;
  run.options.order.schedule = Schedule::fifo;
  for (int i = 0; i < 5; ++i)
    run.task("p" + std::to_string(i)).takes(std::chrono::milliseconds(10 + i)).is_process();
  run.task("s").takes(1ms);
  CHECK(run.trace() ==
        "   0 ms p0 starts\n   0 ms s starts\n   0 ms p1 starts\n   0 ms p2 starts\n   1 ms s passed\n"
        "  10 ms p0 passed\n  10 ms p3 starts\n  11 ms p1 passed\n  11 ms p4 starts\n"
        "  12 ms p2 passed\n  23 ms p3 passed\n  25 ms p4 passed\n");
  CHECK(tokens.there == 2);
  CHECK(tokens.most_out == 2);
  CHECK_FALSE(tokens.is_watched());
}

TEST_CASE("a process waits for a token until somebody gives one back, and what is not used goes back at once",
          "[run][tokens]") {
  FakeTokens tokens;
  FakeRun run;
  run.options.tokens = &tokens;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(30ms).is_process();
  run.task("b").takes(10ms).is_process();
  run.task("c").takes(10ms).is_process();
  run.at(5ms, [&](Scheduler&) { tokens.change(1); });
  run.at(20ms, [&](Scheduler&) {
    CHECK(tokens.out == 1);  // That of c, which goes on where b was.
    tokens.change(3);
    CHECK(tokens.out == 1);
  });
  run.at(27ms, [&](Scheduler&) { CHECK(tokens.out == 0); });
  CHECK(run.trace() ==
        "   0 ms a starts\n   5 ms b starts\n  15 ms b passed\n  15 ms c starts\n  25 ms c passed\n"
        "  30 ms a passed\n");
  CHECK(tokens.there == 4);
}

TEST_CASE("no token is asked for by a process that lacks something else", "[run][tokens]") {
  FakeTokens tokens;
  tokens.there = 5;
  FakeRun run;
  run.options.tokens = &tokens;
  run.options.limits.processes = 2;
  run.options.limits.pools = {{"db", 1}};
  for (int i = 0; i < 4; ++i) run.task("p" + std::to_string(i)).takes(10ms).is_process();
  run.task("q0").takes(10ms).is_process().pool("db");
  run.task("q1").takes(10ms).is_process().pool("db");
  run.trace();
  CHECK(tokens.most_out == 1);
  CHECK(tokens.there == 5);
}

TEST_CASE("every token goes back when the run is stopped, also while one is waited for", "[run][tokens]") {
  FakeTokens tokens;
  tokens.there = 1;
  FakeRun run;
  run.options.tokens = &tokens;
  for (int i = 0; i < 4; ++i) run.task("p" + std::to_string(i)).takes(1s).is_process().stops_in(5ms);
  run.at(10ms, [&](Scheduler& scheduler) {
    CHECK(tokens.out == 1);
    CHECK(tokens.is_watched());
    scheduler.stop({"interrupted"});
  });
  run.trace();
  CHECK(tokens.there == 1);
  CHECK_FALSE(tokens.is_watched());
}

TEST_CASE("a heavy process that was overtaken gets its slots, and its token", "[run][tokens]") {
  FakeTokens tokens;
  tokens.there = 1;
  FakeRun run;
  run.options.tokens = &tokens;
  run.options.limits = {2, 2, 2};
  run.options.order.schedule = Schedule::fifo;
  run.task("p").takes(10ms).is_process();
  run.task("heavy").takes(10ms).is_process().weight(2).estimate(15ms);
  for (int i = 0; i < 20; ++i)
    run.task("t" + std::to_string(i)).takes(std::chrono::milliseconds(5 + i % 3)).is_process();
  run.trace();
  CHECK(*run.record().tasks[1].started_at() < 25ms);
  CHECK(tokens.there == 1);
}

TEST_CASE("while the machine has no room no process starts, but one always runs", "[run][machine]") {
  FakeMachine machine;
  machine.room = false;
  FakeRun run;
  run.options.machine = &machine;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(50ms).is_process();
  run.task("b").takes(1s).is_process();
  run.task("c").takes(20ms).is_process();
  run.task("d").takes(20ms).is_process();
  run.task("s").takes(10ms);
  run.at(300ms, [&](Scheduler&) { machine.room = true; });
  run.at(300ms, [&](Scheduler&) {});
  CHECK(run.trace() ==
        "   0 ms a starts\n   0 ms s starts\n  10 ms s passed\n  50 ms a passed\n  50 ms b starts\n"
        " 450 ms c starts\n 450 ms d starts\n 470 ms c passed\n 470 ms d passed\n1050 ms b passed\n");
}
