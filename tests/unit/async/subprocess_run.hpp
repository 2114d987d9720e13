/// Real programs for the tests of subprocess.hpp: run one, and see that nothing of it is left.
#pragma once

#include "core/async/combine/timeout.hpp"
#include "core/async/io/subprocess.hpp"
#include "core/async/task/sleep.hpp"
#include "tests/unit/descriptors.hpp"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace gather::test {

using namespace std::chrono_literals;
using namespace async;

inline bool has_children() {
  return waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

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
inline Co<bool> eventually(std::function<bool()> claim) {
  for (int i = 0; i < 10'000; ++i) {
    if (claim()) co_return true;
    co_await sleep(1ms);
  }
  co_return claim();
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

/// The state of a process as /proc shows it: R, S, Z, …; 0 if there is none.
inline char state_of(pid_t pid) {
  const std::string text = content_of("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = text.rfind(')');
  return end == std::string::npos ? '\0' : text[end + 2];
}

inline bool exists(pid_t pid) { return kill(pid, 0) == 0; }

/// With out as a pipe.
inline SubprocessOptions captured() { return {.out = Stdio::pipe}; }
inline SubprocessOptions all_pipes() { return {.in = Stdio::pipe, .out = Stdio::pipe, .err = Stdio::pipe}; }

inline Co<std::string> output_of(std::string script, SubprocessOptions options) {
  Process process = co_await create_subprocess_shell(std::move(script), std::move(options));
  const ProcessOutput output = co_await process.communicate();
  co_return output.out;
}

/// Of a period that no chunk size divides.
inline std::string many_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

/// Stands until the child is a zombie, without reaping it and without the loop.
inline void stand_until_ended(pid_t pid) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
}

inline SubprocessError error_of(std::vector<std::string> argv, SubprocessOptions options = all_pipes()) {
  return run_clean([&]() -> Co<SubprocessError> {
    try {
      co_await create_subprocess_exec(std::move(argv), std::move(options));
    } catch (const SubprocessError& error) {
      co_return error;
    }
    co_return SubprocessError(StartError{});
  });
}

}  // namespace gather::test
