#include "core/async/io/descriptor.hpp"
#include "core/async/task/error.hpp"
#include "tests/unit/async/subprocess_run.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <stdexcept>
#include <system_error>

using namespace std::chrono_literals;
using namespace gather::async;
using namespace gather::test;

TEST_CASE("P1: communicate feeds stdin, reads both pipes at once, closes stdin and waits",
          "[async][subprocess]") {
  const std::string input = many_bytes(4 * 1024 * 1024);  // Far more than pipes hold: in turn it would hang.
  run_clean([&]() -> Co<> {
    Process process = co_await create_subprocess_shell("tee /dev/stderr; exit 3", all_pipes());
    const ProcessOutput output = co_await process.communicate(input);
    CHECK((output.out == input));
    CHECK((output.err == input));
    CHECK(process.returncode() == 3);
  });
}

TEST_CASE("P1: a program that does not read its input, or not all, is no error", "[async][subprocess]") {
  const std::string input = many_bytes(1024 * 1024);
  run_clean([&]() -> Co<> {
    Process deaf = co_await create_subprocess_shell("exit 0", all_pipes());
    co_await deaf.communicate(input);
    CHECK(deaf.returncode() == 0);
    Process short_of_it = co_await create_subprocess_shell("head -c 10", all_pipes());
    const ProcessOutput output = co_await short_of_it.communicate(input);
    CHECK((output.out == input.substr(0, 10)));
  });
}

TEST_CASE("P1: communicate without pipes waits, and input without a pipe is refused", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_shell("exit 4", {});
    const ProcessOutput output = co_await process.communicate();
    CHECK((output.out + output.err).empty());
    CHECK(process.returncode() == 4);
    bool refused = false;
    try {
      co_await process.communicate("input");
    } catch (const InvalidState&) {
      refused = true;
    }
    CHECK(refused);
  });
}

TEST_CASE("P1: a cancelled communicate leaves the program running and its output to be read",
          "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_shell(
        "trap 'echo second; exit 5' USR1; echo first; echo ready >&2; while :; do sleep 0.01; done",
        all_pipes());
    co_await process.err().readline();
    const Task<ProcessOutput> cut = create_task(process.communicate());
    for (int i = 0; i < 5; ++i) co_await yield();
    cut.cancel();
    try {
      co_await cut;
    } catch (const Cancelled&) {
    }
    CHECK(!process.returncode());
    process.send_signal(SIGUSR1);
    const ProcessOutput output = co_await process.communicate();
    CHECK(output.out == "first\nsecond\n");
    CHECK(process.returncode() == 5);
  });
}

TEST_CASE("P2: several wait for one program, and a waiter that is cancelled does not kill it",
          "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_shell("read line; exit 7", {.in = Stdio::pipe});
    const auto waits = [](Process& of) -> Co<int> { co_return co_await of.wait(); };
    const Task<int> first = create_task(waits(process));
    const Task<int> second = create_task(waits(process));
    const Task<int> third = create_task(waits(process));
    co_await yield();
    second.cancel();
    co_await yield();
    CHECK(second.cancelled());
    CHECK(!process.returncode());
    CHECK(exists(process.pid()));
    process.in().close();
    CHECK(co_await first == 7);
    CHECK(co_await third == 7);
    CHECK(co_await process.wait() == 7);
  });
}

TEST_CASE("P3: dropping a process that runs kills and reaps it before the loop ends", "[async][subprocess]") {
  pid_t pid = 0;
  run_clean([&]() -> Co<> {
    const Process process = co_await create_subprocess_exec({"sleep", "100"}, all_pipes());
    pid = process.pid();
  });
  CHECK(!exists(pid));
}

TEST_CASE("P3: dropping one with its own session kills what it has started, too", "[async][subprocess]") {
  std::string grandchild;
  run_clean([&]() -> Co<> {
    SubprocessOptions options = captured();
    options.start_new_session = true;
    Process process = co_await create_subprocess_shell("sleep 100 & echo $!; wait", std::move(options));
    grandchild = co_await process.out().readline();
    CHECK(exists(std::stoi(grandchild)));
  });
  const pid_t pid = std::stoi(grandchild);
  CHECK(Loop().run(eventually([&] { return state_of(pid) == '\0' || state_of(pid) == 'Z'; })));
}

TEST_CASE("P3: a process that has ended is left alone when it is dropped", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    const std::size_t tasks = all_tasks().size();
    {
      Process process = co_await create_subprocess_exec({"true"}, captured());
      co_await process.wait();
    }
    CHECK(all_tasks().size() == tasks);
  });
}

TEST_CASE("P3: one that ended unseen, and one that outlives the run, are reaped all the same",
          "[async][subprocess]") {
  const NothingLeft check;
  Loop loop;
  loop.run([]() -> Co<> {
    const Process unseen = co_await create_subprocess_exec({"true"}, captured());
    stand_until_ended(unseen.pid());
  }());
  CHECK(!has_children());
  const Process outlives = loop.run(create_subprocess_exec({"sleep", "100"}, captured()));
  CHECK(exists(outlives.pid()));
}

TEST_CASE("P4: cancelling a start leaves no child and no descriptor", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    const Task<Process> before = create_task(create_subprocess_exec({"sleep", "100"}, all_pipes()));
    before.cancel();
    co_await yield();
    CHECK(before.cancelled());
    CHECK(!has_children());

    const Task<> inside = create_task([]() -> Co<> {
      (co_await this_task()).cancel();
      co_await create_subprocess_exec({"sleep", "100"}, all_pipes());
    }());
    co_await yield();
    co_await yield();
    CHECK(inside.cancelled());
    CHECK(!has_children());
  });
}

TEST_CASE("P4: a task cancelled at any moment of a conversation leaves no child and no descriptor",
          "[async][subprocess]") {
  for (int passes = 0; passes < 30; ++passes)
    run_clean([&]() -> Co<> {
      const Task<> conversation = create_task([]() -> Co<> {
        Process process = co_await create_subprocess_exec({"cat"}, all_pipes());
        co_await process.in().send("question\n");
        co_await process.out().readline();
        co_await process.communicate("more");
      }());
      for (int i = 0; i < passes && !conversation.done(); ++i) co_await yield();
      conversation.cancel();
      try {
        co_await conversation;
      } catch (const Cancelled&) {
      }
    });
}

TEST_CASE("P4: a program that can't be started is an exception that says why", "[async][subprocess]") {
  const SubprocessError missing = error_of({"no-such-program-anywhere"});
  CHECK(missing.kind() == StartFailure::not_found);
  CHECK(missing.code() == ENOENT);
  CHECK(std::string(missing.what()).contains("\"no-such-program-anywhere\""));
  CHECK(error_of({"/etc/passwd"}).code() == EACCES);
  SubprocessOptions nowhere = all_pipes();
  nowhere.cwd = "/no/such/directory";
  CHECK(error_of({"true"}, nowhere).kind() == StartFailure::bad_directory);
  CHECK(error_of({"true", std::string(200'000, 'x')}).code() == E2BIG);
}

TEST_CASE("P4: a start that runs out of descriptors, wherever it stands, is an error and leaves nothing",
          "[async][subprocess]") {
  // Lowers the limit to so many more than are open; what a loop opens later counts, too.
  struct FewDescriptors {
    explicit FewDescriptors(rlim_t more) {
      const Descriptor lowest_free(open("/dev/null", O_RDONLY | O_CLOEXEC));
      getrlimit(RLIMIT_NOFILE, &before);
      rlimit limit = before;
      limit.rlim_cur = static_cast<rlim_t>(lowest_free.get()) + more;
      setrlimit(RLIMIT_NOFILE, &limit);
    }
    ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before); }
    rlimit before{};
  };
  int failures = 0;
  bool started = false;
  for (rlim_t more = 0; more < 12; ++more)
    run_clean([&]() -> Co<> {
      const FewDescriptors few(more);
      try {
        const Process process = co_await create_subprocess_exec({"sleep", "100"}, all_pipes());
        started = true;
      } catch (const std::runtime_error&) {
        ++failures;
        started = false;
      }
    });
  CHECK(failures >= 6);  // Three pipes; then also the pidfd and the set of watches.
  CHECK(started);
}

TEST_CASE("P4: arguments that no program can get are refused before anything is started",
          "[async][subprocess]") {
  const auto refused = [](std::vector<std::string> argv, SubprocessOptions options) {
    return run_clean([&]() -> Co<bool> {
      try {
        co_await create_subprocess_exec(std::move(argv), std::move(options));
      } catch (const std::invalid_argument&) {
        co_return true;
      }
      co_return false;
    });
  };
  CHECK(refused({}, {}));
  CHECK(refused({"true", std::string("a\0b", 3)}, {}));
  CHECK(refused({"true"}, {.env = {{std::string("A=\0", 3)}}}));
  CHECK(refused({"true"}, {.in = -5}));
  CHECK(refused({"true"}, {.out = Stdio::as_out}));
}

TEST_CASE("P5: a signal that ends a program is a negative return code", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process killed = co_await create_subprocess_exec({"sleep", "100"});
    CHECK(killed.kill());
    CHECK(co_await killed.wait() == -SIGKILL);
    Process terminated = co_await create_subprocess_exec({"sleep", "100"});
    CHECK(terminated.terminate());
    CHECK(co_await terminated.wait() == -SIGTERM);
    Process hung_up = co_await create_subprocess_exec({"sleep", "100"});
    CHECK(hung_up.send_signal(SIGHUP));
    CHECK(co_await hung_up.wait() == -SIGHUP);
  });
}

TEST_CASE("P5: signals after the end reach nobody, whether the end was seen or not", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_exec({"true"});
    stand_until_ended(process.pid());
    CHECK(!process.returncode());
    process.kill();  // To the zombie: nothing happens.
    CHECK(co_await process.wait() == 0);
    CHECK(!process.kill());
    CHECK(!process.terminate());
    CHECK(!process.send_signal(0));
  });
}

TEST_CASE("P5: a number that is no signal throws", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_exec({"sleep", "100"});
    CHECK_THROWS_AS(process.send_signal(1000), std::system_error);
  });
}

TEST_CASE("P6: output is complete when it is read after the end", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_shell("head -c 50000 /dev/zero; echo end", captured());
    CHECK(co_await process.wait() == 0);
    CHECK((co_await process.out().readexactly(50'000) == std::string(50'000, '\0')));
    CHECK(co_await process.out().readline() == "end\n");
    CHECK(co_await process.out().read() == "");
  });
}

TEST_CASE("P6: a reader that pauses holds up the program that writes", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    constexpr std::size_t size = 16 * 1024 * 1024;
    Process process =
        co_await create_subprocess_exec({"head", "-c", std::to_string(size), "/dev/zero"}, captured());
    const auto written = [&] {
      const std::string text = content_of("/proc/" + std::to_string(process.pid()) + "/io");
      return std::stoul(text.substr(text.find("wchar: ") + 7));
    };
    const std::string head = co_await process.out().readexactly(1);
    std::size_t before = 0;
    int still = 0;  // Looks in a row, over 20 ms, at which it slept and nothing had changed.
    CHECK(co_await eventually([&] {
      const std::size_t now = written();
      still = now == before && state_of(process.pid()) == 'S' ? still + 1 : 0;
      before = now;
      return still == 20;
    }));
    CHECK(before < 1024 * 1024);
    CHECK(!process.returncode());
    const ProcessOutput rest = co_await process.communicate();
    CHECK(head.size() + rest.out.size() == size);
  });
}
