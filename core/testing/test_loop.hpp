/// TestLoop: a loop that notices what a test leaves behind. Users call run and run_virtual (testing.hpp).
#pragma once

#include "core/async/loop/loop.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace gather::testing {

/// The test is wrong, whatever its assertions say: it took too long, or left something behind.
class TestFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How long a test may take and what it may leave.
struct Limits {
  /// Real time, also of a test in virtual time. Looked at between steps: a step that hangs is not found.
  Duration time = std::chrono::seconds(10);
  /// Tasks that still wait when the body is done are cancelled in silence, as asyncio.run does it.
  bool may_leave_tasks = false;
};

/// Owns the loop of one test.
class TestLoop {
 public:
  TestLoop(std::unique_ptr<async::Poller> poller, Limits limits);
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  /// Requires: neither finish() nor abandon() was called.
  async::Loop& loop() noexcept { return *loop_; }

  /// Lets everything run that can, cancels what still waits, closes the loop; then throws TestFailure if
  /// there was anything to cancel or to close, or an error that nobody was told of.
  void finish();

  /// The body has failed: cancels what it left, without a word, and closes the loop. No-op after finish().
  ///
  /// What does not end within `limits.time` is printed to stderr, and the process aborted, since frames that
  /// are still in use can't be destroyed.
  void abandon() noexcept;

 private:
  [[noreturn]] static void give_up(const char* why) noexcept;

  Limits limits_;
  std::vector<std::string> handles_left_;
  std::vector<std::string> untold_;
  std::unique_ptr<async::Loop> loop_;
};

}  // namespace gather::testing
