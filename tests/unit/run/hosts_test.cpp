#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::Duration;
using gather::test::FakeRun;
using gather::test::limit;

TEST_CASE("a host that no pattern names has six places", "[run][hosts]") {
  FakeRun run;
  for (int i = 0; i < 20; ++i) run.task("t" + std::to_string(i)).takes(10ms).fetches("http://a.test/");
  run.trace();
  CHECK(run.most_at_host["a.test:80"] == 6);
  CHECK(run.record().wall == 40ms);
}

TEST_CASE("tasks of a busy host keep nobody else's waiting", "[run][hosts]") {
  FakeRun run;
  run.options.limits = {2, 2, 2, {limit("a.test", 1)}};
  run.task("a1").takes(30ms).fetches("http://a.test/");
  run.task("a2").takes(30ms).fetches("http://a.test/").priority(1);
  run.task("a3").takes(30ms).fetches("http://a.test/");
  run.task("b1").takes(10ms).fetches("http://b.test/");
  run.task("s1").takes(10ms);
  CHECK(run.trace() ==
        "   0 ms a2 starts\n   0 ms b1 starts\n"
        "  10 ms b1 passed\n  10 ms s1 starts\n"
        "  20 ms s1 passed\n"
        "  30 ms a2 passed\n  30 ms a1 starts\n"
        "  60 ms a1 passed\n  60 ms a3 starts\n"
        "  90 ms a3 passed\n");
}

TEST_CASE("a rate spaces the starts at a host exactly, retries included, and leaves the slot to others",
          "[run][hosts]") {
  FakeRun run;
  run.options.limits = {1, 1, 1, {limit("a.test", 6, "5/s")}};
  run.task("a1").takes(10ms).fetches("http://a.test/").ends({Exited{1}}).retries(1, 50ms);
  run.task("a2").takes(10ms).fetches("http://a.test/");
  run.task("b1").takes(300ms).fetches("http://b.test/");
  CHECK(run.trace() ==
        "   0 ms b1 starts\n"
        " 300 ms b1 passed\n 300 ms a1 starts\n"
        " 310 ms a1 will be tried again in 50 ms\n"
        " 500 ms a1 starts again (2)\n"
        " 510 ms a1 flaky: passed at attempt 2 of 2\n"
        " 700 ms a2 starts\n 710 ms a2 passed\n");
}

TEST_CASE("each of several requests of an attempt counts for the rate, before who has not begun",
          "[run][hosts]") {
  FakeRun run;
  run.options.limits.hosts = {limit("a.test", 6, "5/s")};
  run.task("pages").takes(10ms).fetches("http://a.test/").requests(3);
  run.task("a2").takes(10ms).fetches("http://a.test/");
  run.task("free").takes(10ms).fetches("http://b.test/").requests(2);
  CHECK(run.trace() ==
        "   0 ms pages starts\n   0 ms free starts\n"
        "  10 ms free asks again\n  20 ms free passed\n"
        " 200 ms pages asks again\n 400 ms pages asks again\n 410 ms pages passed\n"
        " 600 ms a2 starts\n 610 ms a2 passed\n");
}

TEST_CASE("a request of several waits until its host is open again", "[run][hosts]") {
  FakeRun run;
  run.task("busy").takes(10ms).fetches("http://a.test/").ends({UnexpectedStatus{503, "", 2s}});
  run.task("pages").takes(20ms).fetches("http://a.test/").requests(2);
  CHECK(run.trace() ==
        "   0 ms pages starts\n   0 ms busy starts\n"
        "  10 ms busy failed: HTTP status 503 (retry after 2 s)\n"
        "2010 ms pages asks again\n2030 ms pages passed\n");
}

TEST_CASE("a run that is stopped doesn't wait for a host's rate", "[run][hosts]") {
  FakeRun run;
  run.options.limits.hosts = {limit("*", 6, "1/h")};
  run.task("a1").takes(10ms).fetches("http://a.test/");
  run.task("a2").takes(10ms).fetches("http://a.test/");
  run.at(50ms, [](Scheduler& scheduler) { scheduler.stop({"interrupted"}); });
  run.trace();
  CHECK(run.record().wall == 50ms);
}

TEST_CASE("a host that says when to come back is closed for all its tasks until then", "[run][hosts]") {
  const int status = GENERATE(429, 503);
  FakeRun run;
  run.options.limits.hosts = {limit("*", 1)};
  run.task("a1")
      .takes(10ms)
      .fetches("http://a.test/1")
      .ends({UnexpectedStatus{status, "", 2s}})
      .retries(1, 0s);
  run.task("a2").takes(10ms).fetches("http://a.test/2");
  run.task("b1").takes(10ms).fetches("http://b.test/");
  CHECK(run.trace() ==
        "   0 ms a1 starts\n   0 ms b1 starts\n"
        "  10 ms a1 will be tried again in 2.00 s\n"
        "  10 ms b1 passed\n"
        "2010 ms a1 starts again (2)\n"
        "2020 ms a1 flaky: passed at attempt 2 of 2\n"
        "2020 ms a2 starts\n2030 ms a2 passed\n");
  CHECK(run.record().tasks[1].lacked[static_cast<std::size_t>(Lack::host)] == 2020ms);
}

TEST_CASE("another status, or none with Retry-After, closes no host", "[run][hosts]") {
  FakeRun run;
  run.options.limits.hosts = {limit("*", 1)};
  const Outcome outcome =
      GENERATE(Outcome(UnexpectedStatus{500, "", 2s}), Outcome(UnexpectedStatus{503, "", std::nullopt}));
  run.task("a1").takes(10ms).fetches("http://a.test/1").ends({outcome});
  run.task("a2").takes(10ms).fetches("http://a.test/2");
  run.trace();
  CHECK(run.record().tasks[1].started_at() == 10ms);
}

TEST_CASE("a host that asks for more than two minutes of rest is not asked, and its tasks say why",
          "[run][hosts]") {
  FakeRun run;
  run.options.limits.hosts = {limit("a.test", 1, "1/s")};
  run.task("a1")
      .takes(10ms)
      .fetches("http://a.test/1")
      .ends({UnexpectedStatus{503, "", 121s}})
      .retries(3, 0s);
  for (int i = 2; i <= 50; ++i)
    run.task("a" + std::to_string(i)).takes(10ms).fetches("http://a.test/").retries(3, 0s);
  run.task("b1").takes(10ms).fetches("http://b.test/");
  run.trace();
  const auto& tasks = run.record().tasks;
  CHECK(tasks[0].reason == "HTTP status 503 (retry after 2m01s, and gather waits for 2m00s at most)");
  CHECK(tasks[49].state == State::failed);
  CHECK(tasks[49].attempts.size() == 1);
  CHECK(
      tasks[49].reason ==
      "transfer failed (host-closed): a.test:80 asked for 2m01s of rest (Retry-After), and gather waits for "
      "2m00s at most: not asked");
  CHECK(tasks[50].state == State::passed);
  CHECK(run.record().wall == 1s);  // The rate lets the second one in; who does not ask needs no rate.
}

TEST_CASE("when that rest is over the host is asked again", "[run][hosts]") {
  FakeRun run;
  run.task("a1").takes(10ms).fetches("http://a.test/1").ends({UnexpectedStatus{429, "", 1h}});
  run.task("a2").takes(10ms).delay(2h).fetches("http://a.test/2");
  run.trace();
  CHECK(run.record().tasks[1].state == State::passed);
}

TEST_CASE("a host that had too much gets half as many at once, and one more for every ten passes",
          "[run][hosts]") {
  FakeRun run;
  run.options.limits.hosts = {limit("*", 4)};
  for (int i = 0; i < 100; ++i) {
    auto task = run.task("t" + std::to_string(i)).takes(1s).fetches("http://a.test/").retries(1, 0s);
    if (i < 4) task.ends({UnexpectedStatus{503, "", 9s}});  // All four at once: one lesson.
  }
  run.trace();
  std::map<Duration, std::size_t> at_once;
  for (const TaskRecord& task : run.record().tasks)
    for (const AttemptRecord& attempt : task.attempts) ++at_once[attempt.start];
  std::vector<std::size_t> numbers;
  for (const auto& [start, number] : at_once) numbers.push_back(number);
  REQUIRE(numbers.size() > 11);
  CHECK(std::vector(numbers.begin(), numbers.begin() + 11) ==
        std::vector<std::size_t>{4, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4});
}

TEST_CASE("a host has so many retries, and one more for each pass", "[run][hosts]") {
  FakeRun run;
  for (int i = 0; i < 300; ++i) {
    auto task = run.task("t" + std::to_string(i)).takes(10ms).fetches("http://a.test/").retries(3, 10ms);
    if (i >= 20) task.ends(std::vector<Outcome>(4, UnexpectedStatus{500, "", std::nullopt}));
  }
  run.trace();
  std::size_t attempts = 0;
  for (const TaskRecord& task : run.record().tasks) attempts += task.attempts.size();
  CHECK(attempts == 300 + 100 + 20);
  CHECK(run.record().tasks[299].reason ==
        "HTTP status 500; its host has used up its retries, so there is no other");
}

TEST_CASE("one task may use every retry that it was given", "[run][hosts]") {
  FakeRun run;
  run.task("a")
      .takes(1ms)
      .fetches("http://a.test/")
      .retries(499, 1ms)
      .ends(std::vector<Outcome>(499, UnexpectedStatus{503, "", std::nullopt}));
  run.trace();
  CHECK(run.record().tasks[0].state == State::flaky);
}

TEST_CASE("fifty thousand fetches on 500 hosts stay within the limits of each", "[run][hosts]") {
  FakeRun run;
  run.options.limits = {1000, 1000, 1000, {limit("*", 3)}};
  for (int i = 0; i < 50'000; ++i)
    run.task("t" + std::to_string(i)).takes(10ms).fetches("http://h" + std::to_string(i % 500) + ".test/");
  run.trace();
  CHECK(run.most_at_host.size() == 500);
  CHECK(std::ranges::all_of(run.most_at_host, [](const auto& at) { return at.second <= 3; }));
  CHECK(run.most_running == 1000);
  CHECK(run.record().wall == 500ms);  // 50,000 tasks, 1,000 at once.
}

namespace {

/// Any hosts, limits, rates and needs. Looks at every moment at which something starts or ends.
void run_random_hosts(unsigned seed) {
  std::mt19937 random(seed);
  FakeRun run;
  run.options.limits = {1 + random() % 6, 1 + random() % 4, 1 + random() % 6, {}};
  const std::size_t hosts = 1 + random() % 5;
  std::vector<std::size_t> max;
  std::vector<Duration> interval;
  for (std::size_t h = 0; h < hosts; ++h) {
    const auto rate = random() % 3 == 0 ? "50/s" : random() % 2 == 0 ? "300/s" : "";
    run.options.limits.hosts.push_back(limit("h" + std::to_string(h), 1 + random() % 3, rate));
    max.push_back(run.options.limits.hosts.back().max);
    const auto& written = run.options.limits.hosts.back().rate;
    interval.push_back(written ? written->interval() : 0ns);
  }
  const std::size_t size = 2 + random() % 40;
  std::vector<std::size_t> host_of(size, hosts);
  for (std::size_t i = 0; i < size; ++i) {
    auto task = run.task("t" + std::to_string(i)).takes(std::chrono::milliseconds(1 + random() % 20));
    if (random() % 5 != 0) {
      host_of[i] = random() % hosts;
      task.fetches("http://h" + std::to_string(host_of[i]) + "/");
    }
    for (std::size_t j = 0; j < i; ++j)
      if (random() % 16 == 0) task.needs("t" + std::to_string(j));
  }

  const std::string trace = run.trace();

  CAPTURE(seed, trace);
  const auto& tasks = run.record().tasks;
  REQUIRE(std::ranges::all_of(tasks, [](const TaskRecord& t) { return t.state == State::passed; }));
  std::set<Duration> moments;
  for (const TaskRecord& task : tasks)
    for (const Duration at : {*task.ready_at, *task.started_at(), *task.ended_at}) moments.insert(at);
  for (std::size_t h = 0; h < hosts; ++h)  // A host may open between two of them.
    for (std::size_t i = 0; i < size; ++i)
      if (host_of[i] == h) moments.insert(*tasks[i].started_at() + interval[h]);
  for (const Duration at : moments) {
    std::size_t running = 0, fetching = 0;
    std::vector<std::size_t> at_host(hosts + 1, 0);
    std::vector<Duration> last(hosts + 1, -1h);
    for (std::size_t i = 0; i < size; ++i) {
      const Duration start = *tasks[i].started_at();
      if (start > at) continue;
      last[host_of[i]] = std::max(last[host_of[i]], start);
      if (*tasks[i].ended_at <= at) continue;
      ++running;
      if (host_of[i] < hosts) ++fetching, ++at_host[host_of[i]];
    }
    CHECK(running <= run.options.limits.jobs);
    CHECK(fetching <= run.options.limits.fetches);
    for (std::size_t h = 0; h < hosts; ++h) CHECK(at_host[h] <= max[h]);
    for (std::size_t i = 0; i < size; ++i) {  // Nobody waits for nothing.
      if (*tasks[i].ready_at > at || *tasks[i].started_at() <= at) continue;
      const std::size_t h = host_of[i];
      const bool host_has_room = h == hosts || (at_host[h] < max[h] && last[h] + interval[h] <= at);
      const bool kind_has_room = h == hosts || fetching < run.options.limits.fetches;
      CHECK_FALSE((running < run.options.limits.jobs && kind_has_room && host_has_room));
    }
  }
  for (std::size_t h = 0; h < hosts; ++h) {
    std::vector<Duration> starts;
    for (std::size_t i = 0; i < size; ++i)
      if (host_of[i] == h) starts.push_back(*tasks[i].started_at());
    std::ranges::sort(starts);
    for (std::size_t i = 1; i < starts.size(); ++i) CHECK(starts[i] - starts[i - 1] >= interval[h]);
  }
}

}  // namespace

TEST_CASE("whatever the hosts: limits and rates hold at every moment, and nobody waits for nothing",
          "[run][hosts]") {
  run_random_hosts(GENERATE(range(1u, 200u)));
}

TEST_CASE("that holds for five thousand jobs with hosts", "[.slow][run]") {
  for (unsigned seed = 200; seed < 5'200; ++seed) run_random_hosts(seed);
}
