#include "core/async/io/subprocess.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/io/descriptor.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/sleep.hpp"
#include "tests/unit/descriptors.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::open_descriptors;

namespace {

bool has_children() { return waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD; }

/// Checks when it dies that neither child nor descriptor is left of what came since.
class NothingLeft {
 public:
  NothingLeft() = default;
  NothingLeft(const NothingLeft&) = delete;
  NothingLeft& operator=(const NothingLeft&) = delete;
  ~NothingLeft() {
    CHECK(open_descriptors() == descriptors_);
    CHECK(!has_children());
  }

 private:
  std::size_t descriptors_ = open_descriptors();
};

/// Runs `body` on a fresh loop in real time, of which nothing is left. TimeoutError if it hangs.
template <class Body>
auto run_clean(Body body) {
  const NothingLeft check;
  Loop loop;
  return loop.run(timeout(20s, std::move(body)));
}

/// Whether `claim` comes true within ten seconds; looks every millisecond.
Co<bool> eventually(std::function<bool()> claim) {
  for (int i = 0; i < 10'000; ++i) {
    if (claim()) co_return true;
    co_await sleep(1ms);
  }
  co_return claim();
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// The state of a process as /proc shows it: R, S, Z, …; 0 if there is none.
char state_of(pid_t pid) {
  const std::string text = content_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = text.rfind(')');
  return end == std::string::npos ? '\0' : text[end + 2];
}

bool exists(pid_t pid) { return kill(pid, 0) == 0; }

/// With out as a pipe.
SubprocessOptions captured() { return {.out = Stdio::pipe}; }
SubprocessOptions all_pipes() { return {.in = Stdio::pipe, .out = Stdio::pipe, .err = Stdio::pipe}; }

Co<std::string> output_of(std::string script, SubprocessOptions options) {
  Process process = co_await create_subprocess_shell(std::move(script), std::move(options));
  const ProcessOutput output = co_await process.communicate();
  co_return output.out;
}

// Of a period that no chunk size divides.
std::string many_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

/// Stands until the child is a zombie, without reaping it and without the loop.
void stand_until_ended(pid_t pid) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
}

SubprocessError error_of(std::vector<std::string> argv, SubprocessOptions options = all_pipes()) {
  return run_clean([&]() -> Co<SubprocessError> {
    try {
      co_await create_subprocess_exec(std::move(argv), std::move(options));
    } catch (const SubprocessError& error) {
      co_return error;
    }
    co_return SubprocessError(StartError{});
  });
}

}  // namespace

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

TEST_CASE("streams may be devices, descriptors, and one and the same", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    SubprocessOptions merged{.in = Stdio::devnull, .out = Stdio::pipe, .err = Stdio::as_out};
    CHECK(co_await output_of("cat; echo out; echo err >&2", merged) == "out\nerr\n");

    const Descriptor input(open("/proc/self/comm", O_RDONLY | O_CLOEXEC));
    SubprocessOptions from_file{.in = input.get(), .out = Stdio::pipe, .err = Stdio::devnull};
    CHECK(co_await output_of("cat; echo lost >&2", from_file) == content_of("/proc/self/comm"));
  });
}

TEST_CASE("by default a program shares our streams, session, group, directory and environment",
          "[async][subprocess]") {
  setenv("GATHER_TEST_ENVIRONMENT", "inherited", 1);
  const std::string expected = std::filesystem::read_symlink("/proc/self/fd/0").string() + " " +
                               std::to_string(getpgrp()) + " " + std::to_string(getsid(0)) + " inherited " +
                               std::filesystem::current_path().string() + "\n";
  run_clean([&]() -> Co<> {
    CHECK(co_await output_of("echo $(readlink /proc/$$/fd/0) $(cut -d' ' -f5,6 /proc/$$/stat) "
                             "$GATHER_TEST_ENVIRONMENT $PWD",
                             captured()) == expected);
  });
}

TEST_CASE("session, directory and environment can be chosen", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    SubprocessOptions options{.out = Stdio::pipe,
                              .env = std::vector<std::string>{"COLOUR=red", "PATH=/usr/bin:/bin"},
                              .cwd = "/",
                              .start_new_session = true};
    CHECK(co_await output_of("[ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo $COLOUR $(pwd)",
                             std::move(options)) == "red /\n");
  });
}

TEST_CASE("a program gets three descriptors, no blocked signal, and what we ignore but SIGPIPE",
          "[async][subprocess]") {
  struct IgnoreUsr1 {
    IgnoreUsr1() { signal(SIGUSR1, SIG_IGN); }
    ~IgnoreUsr1() { signal(SIGUSR1, SIG_DFL); }
  } ignore;
  const Descriptor not_to_inherit(open("/dev/null", O_RDONLY));
  run_clean([]() -> Co<> {
    SubprocessOptions options{.in = Stdio::devnull, .out = Stdio::pipe, .err = Stdio::devnull};
    std::istringstream lines(co_await output_of(
        "ls /proc/$$/fd; grep -E 'SigBlk|SigIgn' /proc/$$/status | cut -f2", std::move(options)));
    std::string first;
    std::string second;
    std::string third;
    unsigned long blocked = 1;
    unsigned long ignored = 0;
    lines >> first >> second >> third >> std::hex >> blocked >> ignored;
    CHECK(first + second + third == "012");
    CHECK(blocked == 0);
    CHECK((ignored >> (SIGUSR1 - 1) & 1) == 1);
    CHECK((ignored >> (SIGPIPE - 1) & 1) == 0);
  });
}

TEST_CASE("a program dies with the thread that starts it only where that is asked for",
          "[async][subprocess]") {
  StartedChild stays;
  StartedChild dies;
  std::thread([&] {
    const ChildSpec plain{.argv = {"/bin/sleep", "100"}, .new_session = false, .dies_with_parent = false};
    const ChildSpec tied{.argv = {"/bin/sleep", "100"}, .new_session = false, .dies_with_parent = true};
    stays = start_child(plain).value();
    dies = start_child(tied).value();
  }).join();
  int status = 0;
  CHECK(waitpid(dies.pid, &status, 0) == dies.pid);
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(waitpid(stays.pid, &status, WNOHANG) == 0);
  kill(stays.pid, SIGTERM);
  CHECK(waitpid(stays.pid, &status, 0) == stays.pid);
  CHECK(WTERMSIG(status) == SIGTERM);
  close(dies.pidfd);
  close(stays.pidfd);
}

TEST_CASE("stop asks first and kills when the grace is over", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process polite = co_await create_subprocess_exec({"sleep", "100"});
    CHECK(co_await polite.stop(10s) == -SIGTERM);
    CHECK(co_await polite.stop(10s) == -SIGTERM);
    Process stubborn = co_await create_subprocess_shell(
        "trap '' TERM; echo ready; while :; do sleep 0.01; done", captured());
    co_await stubborn.out().readline();
    CHECK(co_await stubborn.stop(20ms) == -SIGKILL);
    Process frozen = co_await create_subprocess_exec({"sleep", "100"});
    frozen.send_signal(SIGSTOP);
    CHECK(co_await eventually([&] { return state_of(frozen.pid()) == 'T'; }));
    CHECK(co_await frozen.stop(10s) == -SIGTERM);
  });
}

TEST_CASE("a hundred programs run and talk at once", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    std::vector<Co<std::string>> bodies;
    std::vector<std::string> expected;
    for (int i = 0; i < 100; ++i) {
      bodies.push_back(output_of("echo " + std::to_string(i), captured()));
      expected.push_back(std::to_string(i) + "\n");
    }
    CHECK(co_await gather::async::gather(std::move(bodies)) == expected);
  });
}

TEST_CASE("an ignored SIGCHLD, or somebody else who waits, costs the return code at most",
          "[async][subprocess]") {
  signal(SIGCHLD, SIG_IGN);
  run_clean([]() -> Co<> {
    Process heard = co_await create_subprocess_shell("exit 3", {});
    CHECK(co_await heard.wait() == 3);
    Process stolen = co_await create_subprocess_shell("exit 3", {});
    waitpid(stolen.pid(), nullptr, 0);
    CHECK(co_await stolen.wait() == 255);
  });
}

TEST_CASE("a stream that is no pipe can't be asked for", "[async][subprocess]") {
  run_clean([]() -> Co<> {
    Process process = co_await create_subprocess_exec({"true"}, captured());
    CHECK_THROWS_AS(process.in(), InvalidState);
    CHECK_THROWS_AS(process.err(), InvalidState);
    co_await process.wait();
  });
}
