/// Subprocesses: run a program and take its output, talk to one over pipes, stop one.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> run_command(std::string command) {
  Process process = co_await create_subprocess_shell(command, {.out = Stdio::pipe, .err = Stdio::pipe});
  const ProcessOutput output = co_await process.communicate();
  std::printf("[%s] ended with %d\n%s%s", command.c_str(), *process.returncode(), output.out.c_str(),
              output.err.c_str());
}

Co<> talk_to_sort() {
  Process sort = co_await create_subprocess_exec({"sort", "-n"}, {.in = Stdio::pipe, .out = Stdio::pipe});
  std::printf("sorted: %s", (co_await sort.communicate("10\n9\n1\n")).out.c_str());
}

Co<> stop_in_time() {
  Process sleeper = co_await create_subprocess_exec({"sleep", "3600"});
  try {
    co_await timeout(10ms, [&]() -> Co<> { co_await sleeper.wait(); });
  } catch (const TimeoutError&) {
    sleeper.terminate();
  }
  std::printf("terminated: %d\n", co_await sleeper.wait());  // The negative number of the signal.
}

Co<> processes() {
  co_await run_command("echo out; echo err >&2; exit 3");
  co_await gather::async::gather(talk_to_sort(), stop_in_time());
}

int main() { run(processes()); }
