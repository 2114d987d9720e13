/// Everything that a real run stands on: the loop, the executors, the signals. One for all passes of a
/// command.
#pragma once

#include "core/async/io/signal.hpp"
#include "core/async/loop/loop.hpp"
#include "core/run/scheduler.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace gather::cmd {

class Engine {
 public:
  /// Opens the loop; processes and transfers cost nothing until the first of them. INT and TERM are handled
  /// from now on, also if they were inherited as ignored; HUP unless it was. USR2 prints the loop's tasks.
  /// `debug` turns the loop's debug mode on; without it GATHER_DEBUG decides.
  Engine(std::uint64_t seed, bool debug);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Called every `interval` during a run, with the time since its start.
  struct Tick {
    Duration interval{};
    std::function<void(Duration)> call;
  };

  /// Runs the job once. A signal stops it politely, a second one at once; one that came before stops it
  /// before it begins. Connections are closed afterwards, so that no run profits from another.
  run::Record run(const job::Job& job, run::Options options, run::Observer& observer, const Tick& tick);

  /// Body bytes of fetches that have come so far, of failed attempts, too.
  std::uint64_t received() const;

  /// From now on files that are there already are fetched again, so that no run profits from another.
  void fetch_anew();

  bool interrupted() const { return signal_ != 0; }

 private:
  struct Executors;

  void signalled(int number);

  async::Loop loop_;
  std::unique_ptr<Executors> executors_;
  run::Random random_;
  std::vector<std::unique_ptr<async::SignalWatch>> watches_;
  run::Scheduler* running_ = nullptr;
  int signal_ = 0;  // The first that came.
};

/// Ends the process with `status`; a signal's status by raising that signal, so that a shell sees what
/// happened.
[[noreturn]] void end(ExitStatus status);

}  // namespace gather::cmd
