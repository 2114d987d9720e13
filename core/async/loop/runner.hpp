/// Runner and run: from main() into a coroutine and back, with Ctrl-C and an ordered end; asyncio.run.
#pragma once

#include "core/async/loop/running.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace gather::async {

class SignalWatch;

/// Ctrl-C came, and the main coroutine ended by that very cancel: KeyboardInterrupt's counterpart. Like
/// Cancelled it is no std::exception, so that no handler for errors swallows it.
struct Interrupted {};

/// Owns a loop, and runs one main coroutine after the other on it. See CPython's asyncio.Runner.
///
/// The first SIGINT cancels the main coroutine, which may clean up, awaiting; if it ends cancelled, run()
/// throws Interrupted; if it swallows the cancel and gives a value, that is what run() gives. From the first
/// SIGINT on the signal has its default action again, so a second one ends the process at once, even when a
/// step hangs. SIGINT is left alone where it is ignored or handled already, and on a virtual loop.
///
/// In debug mode SIGUSR2 prints the tree of tasks (see describe_tasks) to stderr.
class Runner {
 public:
  struct Options {
    std::optional<bool> debug{};       ///< As GATHER_DEBUG says, if not set.
    bool handle_interrupts = true;     ///< False: SIGINT is left alone.
    std::unique_ptr<Poller> poller{};  ///< The real world, if not set.
  };

  Runner();
  explicit Runner(Options options);
  /// As close().
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  Loop& loop() const noexcept { return *loop_; }

  /// Gives the value of `main` or throws what it threw. What it leaves behind goes on in the next run().
  /// Throws InvalidState inside a running loop, and after close().
  template <class T>
  T run(Co<T> main) {
    check_open();
    Task<T> task = loop_->create_task(std::move(main), "main");
    run_main(task);
    return std::move(task).result();
  }

  /// Cancels the tasks that are left, waits for them, reports what they failed with, and closes the loop. Can
  /// be repeated.
  void close();

 private:
  void check_open() const;
  void run_main(const AnyTask& main);

  std::unique_ptr<Loop> loop_;
  bool handle_interrupts_;
};

/// Runs `main` on a loop of its own: asyncio.run. See Runner for what a Ctrl-C does. When `main` has ended,
/// the tasks it left behind are cancelled and waited for, then the loop is closed.
///
///     int main() { return gather::async::run(my_main()); }
template <class T>
T run(Co<T> main, Runner::Options options = {}) {
  Runner runner(std::move(options));
  if constexpr (std::is_void_v<T>) {
    runner.run(std::move(main));
    runner.close();
  } else {
    T value = runner.run(std::move(main));
    runner.close();
    return value;
  }
}

}  // namespace gather::async
