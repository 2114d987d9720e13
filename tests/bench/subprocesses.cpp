/// So many processes, a few at a time, each with its output read to the end. Prints what that took, without
/// the program's own start, as JSON. subprocesses.py is the same in Python.
///
///     bench_subprocesses COUNT AT_ONCE PROGRAM
#include "core/async/combine/gather.hpp"
#include "core/async/io/subprocess.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/sync/semaphore.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace gather::async;

namespace {

double cpu_seconds(int whose) {
  rusage usage{};
  getrusage(whose, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Co<> one(Semaphore& semaphore, std::string program) {
  const auto permit = co_await semaphore.scoped();
  std::vector<std::string> argv{std::move(program)};
  SubprocessOptions options{.out = Stdio::pipe};
  Process process = co_await create_subprocess_exec(std::move(argv), std::move(options));
  co_await process.communicate();
  if (process.returncode() != 0) std::exit(1);
}

Co<> all(std::size_t count, std::ptrdiff_t at_once, std::string program) {
  Semaphore semaphore(at_once);
  std::vector<Co<>> bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(one(semaphore, program));
  co_await gather::async::gather(std::move(bodies));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  Loop loop;
  const double own = cpu_seconds(RUSAGE_SELF);
  const auto began = std::chrono::steady_clock::now();
  loop.run(all(std::strtoul(argv[1], nullptr, 10), std::strtol(argv[2], nullptr, 10), argv[3]));
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  std::printf("{\"wall_s\": %f, \"own_cpu_s\": %f, \"children_cpu_s\": %f}\n", wall.count(),
              cpu_seconds(RUSAGE_SELF) - own, cpu_seconds(RUSAGE_CHILDREN));
}
