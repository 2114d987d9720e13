// What a program begins with, and what else may be done with it.
#include "core/async/combine/gather.hpp"
#include "core/async/io/descriptor.hpp"
#include "tests/unit/async/subprocess_run.hpp"

#include <fcntl.h>

#include <filesystem>
#include <thread>

using namespace std::chrono_literals;
using namespace gather::async;
using namespace gather::test;

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
