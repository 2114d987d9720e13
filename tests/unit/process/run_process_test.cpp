#include "tests/unit/descriptors.hpp"
#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

using namespace gather;
using namespace gather::test;
using process::Exit;

TEST_CASE("a program's exit status is given as it is, on every start path", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  for (const int code : {0, 1, 2, 126, 127, 128, 255})
    CHECK(shell(fmt::format("exit {}", code), {.path = path}).end.value() == Exit{.code = code});
}

TEST_CASE("a program that a signal ended is told by the signal, on every start path", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  for (const int number : {SIGSEGV, SIGABRT, SIGTERM, SIGKILL, SIGUSR1}) {
    const Ran ran = shell(fmt::format("ulimit -c 0; kill -{} $$", number), {.path = path});
    CHECK(ran.end.value() == Exit{.signal = number});
    CHECK(!ran.result.killed);
  }
}

TEST_CASE("both streams are kept apart and byte for byte, on every start path", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Ran ran = shell(R"(printf 'a\0b\377\n'; printf 'oops' >&2; printf 'end')", {.path = path});
  CHECK(ran.out() == std::string("a\0b\377\nend", 8));
  CHECK(ran.err() == "oops");
  CHECK(!ran.result.leaked);
}

TEST_CASE("a large output is complete, and is kept in a file", "[process]") {
  const Ran ran = shell("seq 1 750000; seq 1 750000 >&2");
  std::string expected;
  for (int i = 1; i <= 750000; ++i) expected += std::to_string(i) + '\n';
  CHECK(expected.size() > 5'000'000);
  CHECK(ran.result.out.spilled());
  CHECK((ran.out() == expected));
  CHECK((ran.err() == expected));
}

TEST_CASE("a program's stdin is empty unless it is given one", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  CHECK(run({"cat"}, {.path = path}).told() == "exit 0");

  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  REQUIRE(write(ends[1], "given", 5) == 5);
  close(ends[1]);
  CHECK(run({"cat"}, {.path = path, .stdin_fd = ends[0]}).out() == "given");
  close(ends[0]);
}

TEST_CASE("a program can open /dev/stdout and /dev/stderr", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Ran ran = shell("echo one > /dev/stdout; echo two > /dev/stderr", {.path = path});
  CHECK(ran.out() == "one\n");
  CHECK(ran.err() == "two\n");
}

TEST_CASE("a program that reads its own output back does not stop the loop", "[process]") {
  CHECK(shell("exec 3</dev/stdout; seq 500; timeout 0.05 cat <&3 >/dev/null; seq 500; exit 0").told() ==
        "exit 0");
}

TEST_CASE("a program runs in the directory it is given, which its relative paths start from", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const TemporaryFolder folder;
  folder.write("here", "#!/bin/sh\npwd\n", 0755);
  CHECK(run({"./here"}, {.path = path, .directory = folder.path()}).out() == folder.path() + "\n");
  CHECK(run({"here"}, {.path = path, .directory = folder.path(), .environment = {"PATH=.:/bin"}}).out() ==
        folder.path() + "\n");
}

TEST_CASE("a program gets the environment it is given and no other", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  CHECK(run({"env"}, {.path = path, .environment = {"PATH=/usr/bin:/bin", "A=1", "B=x y"}}).out() ==
        "PATH=/usr/bin:/bin\nA=1\nB=x y\n");
}

TEST_CASE("a program that closes its streams and lives on is awaited", "[process]") {
  const Ran ran = shell("exec >&- 2>&-; sleep 0.1; exit 7");
  CHECK(ran.told() == "exit 7");
  CHECK(!ran.result.leaked);
}

TEST_CASE("a program starts clean: three descriptors, default signals, its own session", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const int inheritable = open("/dev/null", O_RDONLY);  // Not close-on-exec, as sloppy libraries do it.
  REQUIRE(inheritable >= 0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR2, [](int) {});
  sigset_t mask;
  sigset_t before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &mask, &before);
  const Ran descriptors = run({"ls", "/proc/self/fd"}, {.path = path});
  const Ran status = run({"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}, {.path = path});
  const Ran ids = run({"cat", "/proc/self/stat"}, {.path = path});
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
  close(inheritable);

  CHECK(descriptors.out() == "0\n1\n2\n3\n");  // 3 is the folder that ls reads.
  const auto [blocked, ignored] = signal_sets(status.out());
  CHECK(blocked == 0);
  // libuv sets signals 1 to 31 to their defaults, and leaves what was inherited beyond them.
  CHECK((path == StartPath::uv ? ignored & 0x7fffffff : ignored) == 0);
  const std::string line = ids.out();
  const std::string pid = line.substr(0, line.find(' '));
  std::string own_group_and_session_no_terminal = fmt::format(" {} {} 0 ", pid, pid);
  CHECK_THAT(line, Catch::Contains(own_group_and_session_no_terminal));
}

TEST_CASE("signals are neither lost nor left blocked by a start", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  run({"true"}, {.path = path});
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGINT) == 0);
  CHECK(sigismember(&mask, SIGTERM) == 0);
}

TEST_CASE("a program dies with the thread that started it", "[process]") {
  std::expected<async::StartedChild, async::StartError> child;
  std::thread([&child] { child = async::start_child({.argv = {"sleep", "100"}}); }).join();
  REQUIRE(child);
  pollfd end{.fd = child->pidfd, .events = POLLIN, .revents = 0};
  CHECK(poll(&end, 1, 2000) == 1);
  kill(child->pid, SIGTERM);  // Not reaped yet: no stranger's number, and no hanging test.
  int status = 0;
  waitpid(child->pid, &status, 0);
  CHECK(WTERMSIG(status) == SIGKILL);
  close(child->pidfd);
}

TEST_CASE("usage tells processor time and peak memory, where we start and reap ourselves", "[process]") {
  const StartPath ours = start_paths().front();
  const Ran busy = shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", {.path = ours});
  REQUIRE(busy.result.usage);
  CHECK(busy.result.usage->user + busy.result.usage->system > 1ms);
  CHECK(busy.result.usage->user + busy.result.usage->system < 10s);
  // One block in memory, so that the peak is above what this process itself may have.
  const Ran large = run({"dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1"}, {.path = ours});
  REQUIRE(large.result.usage);
  CHECK(large.result.usage->peak_memory_bytes > 300'000'000);
  CHECK(large.result.usage->peak_memory_bytes < 400'000'000);
  CHECK(!run({"true"}, {.path = StartPath::uv}).result.usage);
}

TEST_CASE("GATHER_START names the way to start", "[process]") {
  setenv("GATHER_START", "uv", 1);
  const Ran ran = run({"true"});
  unsetenv("GATHER_START");
  CHECK(ran.told() == "exit 0");
  CHECK(!ran.result.usage);
}

TEST_CASE("many short programs leave neither a zombie nor a descriptor", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const auto before = open_descriptors();
  {
    Loop loop;
    const auto starter = starter_on(loop, path);
    const process::StopPolicy policy;
    const int passed = loop.run([](process::Starter& from, const process::StopPolicy& stop) -> Co<int> {
      int count = 0;
      std::size_t descriptors = 0;
      for (int i = 0; i < 250; ++i) {
        process::ProcessResult result;
        // The first lasts long enough to be watched, for which the loop opens what it keeps.
        const auto end =
            co_await process::run_process(from, {.argv = {"sleep", i == 0 ? "0.05" : "0"}}, stop, result);
        if (i == 0) descriptors = open_descriptors();
        if (end == process::Exit{} && !result.leaked && open_descriptors() == descriptors) ++count;
      }
      co_return count;
    }(*starter, policy));
    CHECK(passed == 250);
    CHECK(!has_children());
  }
  CHECK(open_descriptors() == before);
}

namespace {

/// Closes the valve with the first piece, and keeps all of them.
struct Slow final : gather::process::Listener {
  explicit Slow(gather::process::Valve& valve) : valve_(valve) {}
  void wrote(std::string_view piece) noexcept override {
    text += piece;
    if (closes) valve_.close();
  }
  std::string text;
  bool closes = true;

 private:
  gather::process::Valve& valve_;
};

}  // namespace

TEST_CASE("a closed valve holds a child back, without a loss, and without taking it for a leak",
          "[process][valve]") {
  Loop loop;
  const auto starter = starter_on(loop);
  process::Valve valve;
  Slow slow(valve);
  const process::StopPolicy policy{.leak_timeout = 50ms};
  process::ProcessResult result;
  result.out = process::Spool(1000, process::Spool::Beyond::dropped);
  std::size_t while_closed = 0;
  const auto exit =
      loop.run(async::timeout(20s, [&]() -> Co<std::expected<process::Exit, async::StartError>> {
        auto group = loop.create_task(
            [](process::Valve& held, Slow& listener, std::size_t& seen) -> Co<> {
              while (held.is_open()) co_await async::sleep(1ms);
              co_await async::sleep(300ms);  // Far more than the leak timeout, and what a pipe takes to fill.
              seen = listener.text.size();
              listener.closes = false;
              held.open();
            }(valve, slow, while_closed),
            "opens the valve");
        co_return co_await process::run_process(
            *starter,
            {.argv = {"sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo end"},
             .environment = {"PATH=/usr/bin:/bin"}},
            policy, result, {&slow, &slow, &valve});
      }));
  REQUIRE(exit);
  CHECK(*exit == process::Exit{});
  CHECK(while_closed > 0);
  CHECK(while_closed <= 65536);  // One read.
  CHECK((slow.text == std::string(100'000, 'x') + "end\n"));
  CHECK(!result.leaked);
  CHECK(result.out.size() <= 2000);
}

TEST_CASE("a child that is held back can be stopped, and what it wrote is taken", "[process][valve]") {
  Loop loop;
  const auto starter = starter_on(loop);
  process::Valve valve;
  Slow slow(valve);
  const process::StopPolicy policy{.leak_timeout = 50ms};
  process::ProcessResult result;
  CHECK_THROWS_AS(loop.run(async::timeout(
                      300ms,
                      [&] {
                        return process::run_process(
                            *starter, {.argv = {"sh", "-c", "yes"}, .environment = {"PATH=/usr/bin:/bin"}},
                            policy, result, {&slow, &slow, &valve});
                      })),
                  async::TimeoutError);
  CHECK(!valve.is_open());
  CHECK(slow.text.size() > 65536);  // The first piece, and what was in the pipe at the end.
  CHECK(!result.leaked);
  CHECK(!result.killed);
}
