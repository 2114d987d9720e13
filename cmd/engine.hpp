/// Everything that a real run stands on: the loop, the executors, the signals. One for all passes of a
/// command.
#pragma once

#include "cmd/output_pump.hpp"
#include "core/async/io/signal.hpp"
#include "core/async/loop/loop.hpp"
#include "core/process/jobserver/jobserver.hpp"
#include "core/report/plain.hpp"
#include "core/run/jobserver_tokens.hpp"
#include "core/run/live_output.hpp"
#include "core/run/scheduler.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace gather::cmd {

class Engine {
 public:
  /// Opens the loop; processes and transfers cost nothing until the first of them. INT and TERM are handled
  /// from now on, also if they were inherited as ignored; HUP unless it was. USR2 prints the loop's tasks.
  /// TSTP stops what runs, all clocks, and this process, until SIGCONT. `debug` turns the loop's debug mode
  /// on; without it GATHER_DEBUG decides.
  Engine(std::uint64_t seed, bool debug);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Called every `interval` during a run, with the time since its start.
  struct Tick {
    Duration interval{};
    std::function<void(Duration)> call;
  };

  /// What goes on beside a run, from its begin to its end at the latest.
  using Beside = std::function<async::Co<>(run::Scheduler&)>;

  /// Where the processes' standard input comes from; see ProcessExecutor.
  void take_input_from(std::function<int(job::TaskId)> input);

  /// From now on runs never wait for a slow reader of what `terminal` writes; after each all is written. With
  /// `live` it is given what processes write as they write it, and they wait while the reader is slow;
  /// observers are told of outputs only the end then, unless `keep_all`. Both outlive the runs.
  void print_to(report::StandardTerminal& terminal, run::LiveOutput* live = nullptr, bool keep_all = false);

  /// As ProcessExecutor::on_foreground.
  void on_foreground(std::function<void(bool taken)> call);

  /// What USR1 asks for: called with the time since the start of the run that goes on. An Error is lost.
  void on_status_request(std::function<void(Duration)> show) { show_status_ = std::move(show); }
  /// As ProcessExecutor::last_output.
  void last_output(job::TaskId id, run::Stream stream, const run::Output::Sink& sink) const;

  /// Runs the job once. A signal stops it politely, a second one at once; one that came before stops it
  /// before it begins. Connections are closed afterwards, so that no run profits from another. An Error of
  /// `tick` or `beside` stops the run, and is thrown at its end.
  run::Record run(const job::Job& job, run::Options options, run::Observer& observer, const Tick& tick,
                  const Beside& beside = {});

  /// Processes take its tokens and share it from now on; null for none. `lost` is told of tokens that
  /// programs have not given back, and that were made anew. Before the first run.
  void use(std::unique_ptr<process::Jobserver> jobserver, std::function<void(std::size_t)> lost);

  /// So many slots from now on for the run that goes on; nothing without one.
  void set_slots(std::size_t slots);

  /// Body bytes of fetches that have come so far, of failed attempts, too.
  std::uint64_t received() const;

  /// From now on files that are there already are fetched again, so that no run profits from another.
  void fetch_anew();
  /// Nothing but the downloads of this run makes files where they go, as far as anybody knows.
  void downloads_are_alone();

  /// All fetches together get so many bytes per second, at least 1.
  void limit_rate(std::uint64_t bytes_per_second);

  bool interrupted() const { return signal_ != 0; }

 private:
  struct Executors;

  void signalled(int number);
  void status_asked();
  void pause();

  async::Loop loop_;
  std::unique_ptr<process::Jobserver> jobserver_;
  std::unique_ptr<Executors> executors_;
  std::unique_ptr<run::JobserverTokens> tokens_;
  run::Random random_;
  std::vector<std::unique_ptr<async::SignalWatch>> watches_;
  std::unique_ptr<OutputPump> pump_;
  run::Scheduler* running_ = nullptr;
  async::TimePoint began_;  // Of the run that goes on.
  std::function<void(Duration)> show_status_;
  async::Call status_;
  int signal_ = 0;  // The first that came.
};

/// Has `plain` show what runs when USR1 asks, and keep off the terminal while a task has it. Both outlive the
/// runs.
void connect(Engine& engine, report::Plain& plain);

/// Ends the process with `status`; a signal's status by raising that signal, so that a shell sees what
/// happened.
[[noreturn]] void end(ExitStatus status);

}  // namespace gather::cmd
