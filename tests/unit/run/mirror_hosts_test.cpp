// What holds for the host of a mirror, in virtual time.
#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::Duration;
using gather::test::FakeRun;
using gather::test::limit;

namespace {

const std::vector<std::string> a_then_b{"http://a.test/", "http://b.test/"};
const Outcome gone = UnexpectedStatus{404};

Outcome busy(Duration rest) { return UnexpectedStatus{503, "", rest}; }

Duration lacked(const TaskRecord& task, Lack what) { return task.lacked[static_cast<std::size_t>(what)]; }

}  // namespace

TEST_CASE("the next mirror is asked once there is a place at its host, and meanwhile nothing is held",
          "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits = {2, 2, 2, {limit("*", 1)}};
  run.task("m").takes(10ms).fetches_first_of(a_then_b).ends({gone}).priority(1);
  run.task("b").takes(50ms).fetches("http://b.test/");
  run.task("a").takes(10ms).fetches("http://a.test/");
  CHECK(run.trace() ==
        "   0 ms m starts\n   0 ms m asks a.test:80\n   0 ms b starts\n"
        "  10 ms a starts\n"  // In m's slot, at the host that m has left.
        "  20 ms a passed\n"
        "  50 ms b passed\n  50 ms m asks b.test:80\n"
        "  60 ms m passed\n");
  const TaskRecord& m = run.record().tasks[0];
  REQUIRE(m.attempts.size() == 1);
  CHECK(m.attempts[0].start == 0ms);
  CHECK(m.attempts[0].length == 20ms);  // Without the wait.
  CHECK(lacked(m, Lack::host) == 40ms);
  CHECK(m.ended_at == 60ms);
}

TEST_CASE("who asks a mirror counts for its host's rate", "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("b.test", 6, "10/s")};
  run.task("m1").takes(10ms).fetches_first_of(a_then_b).ends({gone});
  run.task("m2").takes(10ms).fetches_first_of(a_then_b).ends({gone});
  run.task("b").takes(10ms).delay(15ms).fetches("http://b.test/").priority(-1);
  CHECK(run.trace() ==
        "   0 ms m1 starts\n   0 ms m1 asks a.test:80\n   0 ms m2 starts\n   0 ms m2 asks a.test:80\n"
        "  10 ms m1 asks b.test:80\n  20 ms m1 passed\n"
        " 110 ms m2 asks b.test:80\n 120 ms m2 passed\n"
        " 210 ms b starts\n 220 ms b passed\n");
  CHECK(lacked(run.record().tasks[1], Lack::rate) == 100ms);
}

TEST_CASE("two that change places between two hosts do not wait for each other", "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("*", 1)};
  run.task("x").takes(10ms).fetches_first_of(a_then_b).ends({gone});
  run.task("y").takes(10ms).fetches_first_of({"http://b.test/", "http://a.test/"}).ends({gone});
  run.trace();
  CHECK(run.record().wall == 20ms);
}

TEST_CASE("a mirror that asks for rest is closed for all tasks until then", "[run][hosts][mirror]") {
  FakeRun run;
  run.task("m")
      .takes(10ms)
      .fetches_first_of({"http://a.test/", "http://b.test/", "http://c.test/"})
      .ends({gone, busy(2s)});
  run.task("b").takes(10ms).delay(25ms).fetches("http://b.test/");
  CHECK(run.trace() ==
        "   0 ms m starts\n   0 ms m asks a.test:80\n"
        "  10 ms m asks b.test:80\n"
        "  20 ms m asks c.test:80\n"
        "  30 ms m passed\n"
        "2020 ms b starts\n2030 ms b passed\n");
}

TEST_CASE("a host that rests is passed over, also by those that wait for it already",
          "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("a.test", 1)};
  run.task("a1").takes(10ms).fetches("http://a.test/").ends({busy(2s)});
  run.task("m1").takes(10ms).fetches_first_of(a_then_b);
  run.task("a2").takes(10ms).fetches("http://a.test/");
  run.task("m2").takes(10ms).delay(50ms).fetches_first_of(a_then_b);
  CHECK(run.trace() ==
        "   0 ms a1 starts\n"
        "  10 ms a1 failed: HTTP status 503 (retry after 2 s)\n"
        "  10 ms m1 starts\n  10 ms m1 asks b.test:80\n  20 ms m1 passed\n"
        "  50 ms m2 starts\n  50 ms m2 asks b.test:80\n  60 ms m2 passed\n"
        "2010 ms a2 starts\n2020 ms a2 passed\n");
  CHECK(lacked(run.record().tasks[1], Lack::host) == 10ms);
}

TEST_CASE("a host that asks for no rest at all is passed over by nobody", "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("a.test", 1)};
  run.task("a1").takes(10ms).fetches("http://a.test/").ends({busy(0s)});
  run.task("m").takes(10ms).fetches_first_of(a_then_b);
  CHECK(run.trace() ==
        "   0 ms a1 starts\n"
        "  10 ms a1 failed: HTTP status 503 (retry after 0 ms)\n"
        "  10 ms m starts\n  10 ms m asks a.test:80\n  20 ms m passed\n");
}

TEST_CASE("where all mirrors rest, the one that opens first is waited for", "[run][hosts][mirror]") {
  FakeRun run;
  run.task("a").takes(10ms).fetches("http://a.test/").ends({busy(3s)});
  run.task("b").takes(10ms).fetches("http://b.test/").ends({busy(2s)});
  run.task("m").takes(10ms).delay(50ms).fetches_first_of(a_then_b);
  run.trace();
  CHECK(run.record().tasks[2].started_at() == 2010ms);
  CHECK(run.record().tasks[2].attempts.size() == 1);
}

TEST_CASE("who waits for a mirror that closes turns to one that opens sooner", "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("a.test", 1)};
  run.task("b").takes(10ms).fetches("http://b.test/").ends({busy(2s)});
  run.task("a").takes(20ms).fetches("http://a.test/").ends({busy(60s)});
  run.task("m").takes(10ms).fetches_first_of(a_then_b).priority(-1);
  run.trace();
  CHECK(run.record().tasks[2].started_at() == 2010ms);
}

TEST_CASE("a mirror that rests does not serve an attempt that has failed elsewhere", "[run][hosts][mirror]") {
  FakeRun run;
  run.task("b").takes(10ms).fetches("http://b.test/").ends({busy(2s)});
  run.task("m").takes(10ms).delay(50ms).fetches_first_of(a_then_b).ends({gone});
  run.trace();
  CHECK(run.record().tasks[1].reason == "HTTP status 503: other mirrors: a.test:80: HTTP status 404");
  CHECK(run.record().tasks[1].ended_at == 60ms);
}

TEST_CASE("mirrors that all ask for more than two minutes are not asked, and the task fails at once",
          "[run][hosts][mirror]") {
  FakeRun run;
  run.task("a").takes(10ms).fetches("http://a.test/").ends({busy(10min)});
  run.task("b").takes(10ms).fetches("http://b.test/").ends({busy(5min)});
  run.task("m").takes(10ms).delay(10ms).fetches_first_of(a_then_b).retries(3, 1s);
  CHECK(run.trace().find("m asks") == std::string::npos);
  CHECK(run.record().tasks[2].attempts.size() == 1);
  CHECK(run.record().wall == 10ms);
}

TEST_CASE("a mirror that asks for more than two minutes is passed over", "[run][hosts][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("a.test", 1)};
  run.task("a").takes(10ms).fetches("http://a.test/").ends({busy(10min)});
  run.task("m").takes(10ms).fetches_first_of(a_then_b);
  run.trace();
  CHECK(run.record().tasks[1].state == State::passed);
  CHECK(run.record().wall == 20ms);
}

TEST_CASE("all mirrors of an attempt share its time limit, without what they wait for", "[run][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("*", 1)};
  run.task("b").takes(100ms).fetches("http://b.test/");
  run.task("m").takes(30ms).timeout(50ms).fetches_first_of(a_then_b).ends({gone});
  CHECK(run.trace() ==
        "   0 ms b starts\n   0 ms m starts\n   0 ms m asks a.test:80\n"
        " 100 ms b passed\n 100 ms m asks b.test:80\n"
        " 120 ms m timed_out: timed out after 50 ms\n");
}

TEST_CASE("a retry begins with the first mirror again", "[run][mirror]") {
  FakeRun run;
  run.task("m").takes(10ms).fetches_first_of(a_then_b).ends({gone, UnexpectedStatus{500}}).retries(1, 40ms);
  CHECK(run.trace() ==
        "   0 ms m starts\n   0 ms m asks a.test:80\n  10 ms m asks b.test:80\n"
        "  20 ms m will be tried again in 40 ms\n"
        "  60 ms m starts again (2)\n  60 ms m asks a.test:80\n"
        "  70 ms m flaky: passed at attempt 2 of 2\n");
}

TEST_CASE("a run that is stopped keeps the attempt of who waits for the next mirror", "[run][mirror]") {
  FakeRun run;
  run.options.limits.hosts = {limit("*", 1)};
  run.task("b").takes(100ms).fetches("http://b.test/");
  run.task("m").takes(10ms).fetches_first_of(a_then_b).ends({gone});
  run.at(50ms, [](Scheduler& scheduler) { scheduler.stop({"interrupted"}); });
  run.trace();
  const TaskRecord& m = run.record().tasks[1];
  CHECK(m.state == State::cancelled);
  REQUIRE(m.attempts.size() == 1);
  CHECK(m.attempts[0].length == 10ms);
  CHECK(describe(m.attempts[0].outcome) == m.reason);
  CHECK(lacked(m, Lack::host) == 40ms);
}

TEST_CASE("a run that is stopped in the moment between two mirrors keeps the attempt, too", "[run][mirror]") {
  FakeRun run;
  run.options.halt = Halt{};
  run.task("m").takes(10ms).fetches_first_of(a_then_b).ends({gone}).priority(1);
  run.task("x").takes(10ms).ends({Exited{1}});
  CHECK(run.trace() ==
        "   0 ms m starts\n   0 ms m asks a.test:80\n   0 ms x starts\n"
        "  10 ms x failed: exit status 1\n"
        "  10 ms stopping: x failed, and the run fails fast\n"
        "  10 ms m cancelled: x failed, and the run fails fast\n");
  const TaskRecord& m = run.record().tasks[0];
  REQUIRE(m.attempts.size() == 1);
  CHECK(m.attempts[0].length == 10ms);
}

TEST_CASE("no host has more requests at once than it may, whatever mirrors fail", "[run][hosts][mirror]") {
  std::mt19937_64 random(GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u));
  const auto up_to = [&](int most) { return std::uniform_int_distribution(0, most)(random); };
  FakeRun run;
  run.options.limits = {8, 8, 8, {limit("h0.test", 1), limit("h1.test", 2), limit("*", 3)}};
  for (int i = 0; i < 300; ++i) {
    std::vector<std::string> urls{"http://h" + std::to_string(up_to(3)) + ".test/"};
    for (int n = up_to(3); n > 0; --n)
      urls.push_back("http://h" + std::to_string(up_to(3)) + ".test/" + std::to_string(n));
    std::vector<Outcome> outcomes;
    for (int n = up_to(4); n > 0; --n) outcomes.push_back(up_to(3) == 0 ? busy(1ms * up_to(500)) : gone);
    auto task =
        run.task("t" + std::to_string(i)).takes(1ms * up_to(20)).fetches_first_of(urls).ends(outcomes);
    if (up_to(9) == 0) task.weight(3);
    if (up_to(3) == 0) task.retries(2, 1ms * up_to(50));
  }
  run.trace();
  CHECK(run.most_running <= 8);
  CHECK(run.most_at_host["h0.test:80"] == 1);
  CHECK(run.most_at_host["h1.test:80"] == 2);
  CHECK(run.most_at_host["h2.test:80"] == 3);
  for (const TaskRecord& task : run.record().tasks) CHECK(is_ending(task.state));
}
