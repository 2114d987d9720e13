#include "core/async/combine/task_group.hpp"
#include "core/async/combine/wait.hpp"
#include "core/base/error.hpp"
#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <csignal>

using namespace gather;
using namespace gather::test;

namespace {

/// The launcher that this process has now; 0 if there is none.
pid_t launcher() {
  for (const std::string& child : children_of(std::to_string(getpid()))) {
    std::string name;
    std::ifstream("/proc/" + child + "/comm") >> name;
    if (name == "gather-launcher") return std::stoi(child);
  }
  return 0;
}

async::ChildSpec sh(const std::string& script, std::vector<std::string> more = {}) {
  more.push_back("PATH=/usr/bin:/bin");
  return {.argv = {"sh", "-c", script}, .environment = std::move(more)};
}

/// Runs one script to its end.
Co<std::string> told(process::Starter& starter, std::string script, std::vector<std::string> more = {}) {
  process::ProcessResult result;
  const process::StopPolicy policy{.grace = 1s, .leak_timeout = 20ms};
  co_await process::run_process(starter, sh(script, std::move(more)), policy, result);
  co_return text_of(result.out);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

TEST_CASE("the launcher starts with the first program, and ends with the starter", "[process][launcher]") {
  Loop loop;
  {
    const auto starter = starter_on(loop, StartPath::launcher);
    CHECK(launcher() == 0);
    CHECK(loop.run(told(*starter, "echo $PPID")) == fmt::format("{}\n", launcher()));
  }
  CHECK(launcher() == 0);
}

TEST_CASE("what fled from its group is ended by a sweep, and told", "[process][launcher]") {
  const auto [script, word] = GENERATE(table<std::string, std::string>(
      {{"setsid sh -c 'echo $$; exec sleep 100' & exit 0", "sleep 100"},
       {"setsid sh -c 'sleep 101 >/dev/null 2>&1 & echo $!' & wait", "sleep 101"},
       {"setsid sh -c \"trap '' TERM; echo \\$\\$; while :; do sleep 0.05; done\" & exit 0", "sh -c trap"}}));
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  std::string pid;
  const auto left = loop.run([](process::Starter& from, const std::string& text,
                                std::string& into) -> Co<std::vector<process::Leftover>> {
    into = first_line(co_await told(from, text, {"GATHER_TASK=build"}));
    co_return co_await from.sweep();
  }(*starter, script, pid));
  REQUIRE(!left.empty());
  CHECK(left.front().task == "build");
  CHECK(std::ranges::any_of(left, [&](const auto& one) {
    return std::to_string(one.pid) == pid && one.command.starts_with(word);
  }));
  CHECK(process_fields(pid).empty());
  CHECK(loop.run(starter->sweep()).empty());
}

TEST_CASE("a sweep spares what runs, and what that has started", "[process][launcher]") {
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  loop.run([](Loop& on, process::Starter& from) -> Co<> {
    process::ProcessResult result;
    const process::StopPolicy policy{.grace = 1s};
    auto task = on.create_task(process::run_process(
        from, sh("sleep 100 & setsid sh -c 'echo up; exec sleep 100' & wait"), policy, result));
    REQUIRE(co_await eventually([&] { return result.out.size() > 0; }));
    CHECK((co_await from.sweep()).empty());
    CHECK(!task.done());
    task.cancel();
    REQUIRE(co_await eventually([&] { return task.done(); }));
    CHECK((co_await from.sweep()).size() == 1);  // What had a session of its own.
  }(loop, *starter));
}

TEST_CASE("when the launcher dies everything dies with it, and nothing is started any more",
          "[process][launcher]") {
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  loop.run([](Loop& on, process::Starter& from) -> Co<> {
    process::ProcessResult result;
    const process::StopPolicy policy;
    auto task = on.create_task(
        process::run_process(from, sh("echo $$; setsid sleep 100 & sleep 100 & sleep 100"), policy, result));
    REQUIRE(co_await eventually([&] { return result.out.size() > 0; }));
    kill(launcher(), SIGKILL);
    REQUIRE(co_await eventually([&] { return task.done(); }));
    CHECK_THROWS_WITH(task.result(), Catch::Contains("was killed by signal 9"));
    CHECK(!has_children());
    process::Bell bell;
    const async::ChildSpec spec = sh("exit 0");
    bool refused = false;
    try {
      co_await from.start(spec, bell, {1s});
    } catch (const Error& error) {
      refused = error.status() == ExitStatus::bug;
    }
    CHECK(refused);
  }(loop, *starter));
}

TEST_CASE("arguments and an environment of any size reach the program", "[process][launcher]") {
  std::string large;
  for (int i = 0; large.size() < 100'000; ++i) large += std::to_string(i) + ' ';
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  process::ProcessResult result;
  const process::StopPolicy policy;
  loop.run(process::run_process(*starter,
                                {.argv = {"sh", "-c", "printf '%s' \"$1$VALUE$2\"", "sh", large, ""},
                                 .environment = {"PATH=/usr/bin:/bin", "VALUE=" + large}},
                                policy, result));
  CHECK((text_of(result.out) == large + large));
}

TEST_CASE("of two common environments each program gets its own one", "[process][launcher]") {
  const auto common = [](const std::string& value) {
    return std::make_shared<const async::Environment::Variables>(
        async::Environment::Variables{"PATH=/usr/bin:/bin", "COMMON=" + value});
  };
  const std::string large(100'000, 'x');
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  const int right = loop.run([](Loop& on, process::Starter& from, auto small, auto big) -> Co<int> {
    const auto one = [](process::Starter& starts, async::Environment environment) -> Co<std::string> {
      process::ProcessResult result;
      const process::StopPolicy policy;
      co_await process::run_process(
          starts, {.argv = {"sh", "-c", "echo ${#COMMON} $OWN"}, .environment = environment}, policy, result);
      co_return text_of(result.out);
    };
    std::vector<async::Task<std::string>> tasks;
    for (int i = 0; i < 40; ++i) {
      async::Environment environment(i % 3 == 0 ? big : small);
      environment.set("OWN", std::to_string(i));
      if (i % 5 == 0) environment.set("COMMON", "12345");
      tasks.push_back(on.create_task(one(from, std::move(environment))));
    }
    int count = 0;
    for (int i = 0; i < 40; ++i) {
      const char* const length = i % 5 == 0 ? "5" : i % 3 == 0 ? "100000" : "4";
      count += co_await tasks[static_cast<std::size_t>(i)] == fmt::format("{} {}\n", length, i) ? 1 : 0;
    }
    co_return count;
  }(loop, *starter, common("tiny"), common(large)));
  CHECK(right == 40);
}

TEST_CASE("hundreds of programs at once each get their own streams", "[process][launcher]") {
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  const int right = loop.run([](Loop& on, process::Starter& from) -> Co<int> {
    std::vector<async::Task<std::string>> tasks;
    for (int i = 0; i < 300; ++i) tasks.push_back(on.create_task(told(from, fmt::format("echo {}", i))));
    int count = 0;
    for (int i = 0; i < 300; ++i)
      count += co_await tasks[static_cast<std::size_t>(i)] == fmt::format("{}\n", i) ? 1 : 0;
    co_return count;
  }(loop, *starter));
  CHECK(right == 300);
}

TEST_CASE("of hundreds at once none's end is taken for that of an orphan", "[process][launcher]") {
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  const int right = loop.run([](Loop& on, process::Starter& from) -> Co<int> {
    const auto ends_with = [](process::Starter& starts, int code) -> Co<bool> {
      process::ProcessResult result;
      const process::StopPolicy policy;
      const auto end = co_await process::run_process(
          starts, {.argv = {"sh", "-c", fmt::format("exit {}", code)}, .environment = {"PATH=/usr/bin:/bin"}},
          policy, result);
      co_return end && end->code == code;
    };
    std::vector<async::Task<bool>> tasks;
    for (int i = 0; i < 600; ++i) tasks.push_back(on.create_task(ends_with(from, i % 200 + 1)));
    int count = 0;
    for (auto& task : tasks) count += co_await task ? 1 : 0;
    co_return count;
  }(loop, *starter));
  CHECK(right == 600);
}

TEST_CASE("the launcher holds the streams of few that wait for their start", "[process][launcher]") {
  constexpr std::size_t many = 400;
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  loop.run([](Loop& on, process::Starter& from) -> Co<> {
    std::vector<async::Task<std::string>> tasks;
    for (std::size_t i = 0; i < many; ++i) tasks.push_back(on.create_task(told(from, "exec sleep 100")));
    const std::string pid = std::to_string(getpid());
    while (launcher() == 0 || children_of(std::to_string(launcher())).size() < many)
      co_await async::sleep(5ms);
    // It grows by doubling, and never shrinks: one for each child and three for each of 32 make less than
    // 512.
    std::ifstream status("/proc/" + std::to_string(launcher()) + "/status");
    std::string word;
    while (status >> word && word != "FDSize:") {
    }
    std::size_t table = 0;
    status >> table;
    CHECK(table <= 512);
    for (auto& task : tasks) task.cancel();
    co_await async::wait(std::move(tasks));
  }(loop, *starter));
}

TEST_CASE("a launcher that may open no more files says so, and goes on when it may", "[process][launcher]") {
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  CHECK(loop.run(told(*starter, "echo first")) == "first\n");
  rlimit before{};
  rlimit few{6, 6};
  REQUIRE(prlimit(launcher(), RLIMIT_NOFILE, nullptr, &before) == 0);
  few.rlim_max = before.rlim_max;
  REQUIRE(prlimit(launcher(), RLIMIT_NOFILE, &few, nullptr) == 0);
  process::Bell bell;
  // Of the second it is the environment that needs one: too large for a packet.
  const async::Environment large(std::make_shared<const async::Environment::Variables>(
      async::Environment::Variables{"COMMON=" + std::string(100'000, 'x')}));
  for (const async::ChildSpec& spec :
       {async::ChildSpec{.argv = {"/bin/true"}, .stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2},
        async::ChildSpec{.argv = {"/bin/true"}, .environment = large}}) {
    const auto child = loop.run(starter->start(spec, bell, {1s}));
    REQUIRE(!child);
    CHECK(child.error().kind == async::StartFailure::too_many_files);
    CHECK(child.error().temporary());
  }
  REQUIRE(prlimit(launcher(), RLIMIT_NOFILE, &before, nullptr) == 0);
  CHECK(loop.run(told(*starter, "echo again")) == "again\n");
  process::ProcessResult result;
  const process::StopPolicy policy;
  loop.run(process::run_process(
      *starter, {.argv = {"/bin/sh", "-c", "echo ${#COMMON}"}, .environment = large}, policy, result));
  CHECK(text_of(result.out) == "100000\n");
}

TEST_CASE("the peak memory of a small program is known, however large we are", "[process][launcher]") {
  {
    const std::string large(100'000'000, 'x');
    CHECK(large.back() == 'x');
  }
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  process::ProcessResult result;
  const process::StopPolicy policy;
  loop.run(process::run_process(
      *starter, {.argv = {"dd", "if=/dev/zero", "of=/dev/null", "bs=20M", "count=1"}}, policy, result));
  REQUIRE(result.usage);
  CHECK(result.usage->peak_memory_bytes > 20'000'000);
  CHECK(result.usage->peak_memory_bytes < 40'000'000);
}

TEST_CASE("what waits for its start when everything is paused starts afterwards", "[process][launcher]") {
  Loop loop;
  const auto starter = starter_on(loop, StartPath::launcher);
  loop.run([](process::Starter& from) -> Co<> {
    co_await told(from, ":");
    constexpr int all = 20;
    int ended = 0;
    co_await async::task_group([&](async::TaskGroup& group) -> Co<> {
      for (int i = 0; i < all; ++i)
        group.create_task([](process::Starter& of, int& count) -> Co<> {
          co_await told(of, ":");
          ++count;
        }(from, ended));
      co_await async::yield();  // All have asked, and travel in one packet with the pause.
      from.pause();
      co_await async::sleep(100ms);
      CHECK(ended == 0);
      CHECK(children_of(std::to_string(launcher())).empty());
      from.resume();
    });
    CHECK(ended == all);
  }(*starter));
}
