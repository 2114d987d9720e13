#include "cmd/engine.hpp"

#include "core/async/loop/pause.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/loop/task_tree.hpp"
#include "core/net/session.hpp"
#include "core/report/tee.hpp"
#include "core/run/fetch_executor.hpp"
#include "core/run/process_executor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace gather::cmd {
namespace {

std::string new_run_id(run::Random& random) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(now));
  const std::chrono::hh_mm_ss time(now - std::chrono::floor<std::chrono::days>(now));
  return fmt::format("{:04}{:02}{:02}-{:02}{:02}{:02}-{:04x}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(), random() & 0xffff);
}

bool inherited_as_ignored(int number) {
  struct sigaction action{};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

/// Stops this process as SIGTSTP does by itself; returns after SIGCONT. Where nobody could continue it, in a
/// group without a shell, the kernel does nothing.
void stop_self() {
  struct sigaction by_default{};
  struct sigaction ours{};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGTSTP, &by_default, &ours);
  std::raise(SIGTSTP);
  sigaction(SIGTSTP, &ours, nullptr);
}

run::StopRequest request_for(int number) {
  switch (number) {
    case SIGINT:
      return {"interrupted", SIGINT, ExitStatus::interrupted};
    case SIGHUP:
      return {"hung up", SIGHUP, ExitStatus::hung_up};
    default:
      return {"terminated", SIGTERM, ExitStatus::terminated};
  }
}

std::vector<std::string> environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
  return entries;
}

// What a tick throws (nobody reads stdout any more, the disk is full) stops the run, and is kept for its end.
async::Co<> tick_for_ever(const Engine::Tick& tick, run::Scheduler& scheduler, std::exception_ptr& failure) {
  async::Loop& loop = (co_await async::this_task()).loop();
  const async::TimePoint start = loop.now();
  while (!failure) {
    co_await async::sleep(tick.interval);
    try {
      tick.call(loop.now() - start);
    } catch (const Error& error) {
      failure = std::current_exception();
      scheduler.stop({error.what(), SIGTERM, error.status()});
    }
  }
}

async::Co<> run_beside(const Engine::Beside& beside, run::Scheduler& scheduler, std::exception_ptr& failure) {
  try {
    co_await beside(scheduler);
  } catch (const Error& error) {
    if (!failure) failure = std::current_exception();
    scheduler.stop({error.what(), SIGTERM, error.status()});
  }
}

}  // namespace

struct Engine::Executors {
  explicit Executors(async::Loop& loop)
      : session(loop), process(environment(), "/proc/self/exe"), fetch(session) {}

  net::Session session;
  run::SleepExecutor sleep;
  run::ProcessExecutor process;
  run::FetchExecutor fetch;
};

Engine::Engine(std::uint64_t seed, bool debug)
    : executors_(std::make_unique<Executors>(loop_)), random_(seed) {
  if (debug) loop_.set_debug(true);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (number == SIGHUP && inherited_as_ignored(number)) continue;  // nohup means it.
    watches_.push_back(std::make_unique<async::SignalWatch>(loop_, number, [this](int n) { signalled(n); }));
  }
  if (!inherited_as_ignored(SIGTSTP))
    watches_.push_back(std::make_unique<async::SignalWatch>(loop_, SIGTSTP, [this](int) { pause(); }));
  watches_.push_back(std::make_unique<async::SignalWatch>(loop_, SIGUSR1, [this](int) { status_asked(); }));
  watches_.push_back(std::make_unique<async::SignalWatch>(
      loop_, SIGUSR2, [this](int) { std::fputs(async::describe_tasks(loop_).c_str(), stderr); }));
}

Engine::~Engine() = default;

void Engine::pause() {
  executors_->process.pause();
  const auto stopped_at = std::chrono::steady_clock::now();
  stop_self();
  async::exclude_from_clocks(std::chrono::steady_clock::now() - stopped_at);
  executors_->process.resume();
}

std::uint64_t Engine::received() const { return executors_->fetch.received(); }

void Engine::limit_rate(std::uint64_t bytes_per_second) { executors_->session.limit_rate(bytes_per_second); }

void Engine::fetch_anew() { executors_->fetch.fetch_anew(); }

void Engine::downloads_are_alone() { executors_->fetch.alone_in_folders(); }

void Engine::take_input_from(std::function<int(job::TaskId)> input) {
  executors_->process.take_input_from(std::move(input));
}

void Engine::print_to(report::StandardTerminal& terminal, run::LiveOutput* live, bool keep_all) {
  pump_ = std::make_unique<OutputPump>(loop_, terminal);
  if (live != nullptr) executors_->process.pass_output_to(*live, pump_->valve(), keep_all);
}

void Engine::last_output(job::TaskId id, run::Stream stream, const run::Output::Sink& sink) const {
  executors_->process.last_output(id, stream, sink);
}

// A moment later, so that what was written before the question has been read from the pipes.
void Engine::status_asked() {
  status_ = loop_.call_later(std::chrono::milliseconds(1), [this] {
    if (running_ == nullptr || !show_status_) return;
    try {
      show_status_(loop_.now() - began_);
    } catch (const Error&) {  // The next tick meets it, too.
    }
  });
}

void Engine::on_foreground(std::function<void(bool taken)> call) {
  executors_->process.on_foreground(std::move(call));
}

void Engine::use(std::unique_ptr<process::Jobserver> jobserver, std::function<void(std::size_t)> lost) {
  jobserver_ = std::move(jobserver);
  if (jobserver_) tokens_ = std::make_unique<run::JobserverTokens>(loop_, *jobserver_, std::move(lost));
  // Of one that is ours nothing is lost when we are killed: it goes with us.
  if (jobserver_ && jobserver_->is_ours()) tokens_->ready();
  executors_->process.share(jobserver_.get(), [this] { tokens_->ready(); });
}

void Engine::set_slots(std::size_t slots) {
  if (running_ == nullptr) return;
  if (jobserver_ && jobserver_->is_ours()) jobserver_->set_slots(slots);
  running_->set_slots(slots);
}

void Engine::signalled(int number) {
  if (signal_ == 0) signal_ = number;
  if (running_ != nullptr) running_->stop(request_for(number));
}

run::Record Engine::run(const job::Job& job, run::Options options, run::Observer& observer, const Tick& tick,
                        const Beside& beside) {
  options.run_id = new_run_id(random_);
  options.tokens = tokens_.get();
  const run::StatedDurations durations;
  run::Inputs inputs(job);
  executors_->process.read_from(&inputs);
  executors_->fetch.keep_for(&inputs);
  report::Tee all({&inputs, &observer});
  run::Scheduler scheduler(job, std::move(options), durations,
                           {executors_->sleep, executors_->process, executors_->fetch}, random_, all);
  if (signal_ != 0) scheduler.stop(request_for(signal_));
  running_ = &scheduler;
  began_ = loop_.now();
  struct Stop {
    Engine& engine;
    ~Stop() {
      engine.running_ = nullptr;
      engine.executors_->process.read_from(nullptr);
      engine.executors_->fetch.keep_for(nullptr);
    }
  } const stop{*this};
  std::exception_ptr failure;
  if (pump_) pump_->begin();
  loop_.create_task(tick_for_ever(tick, scheduler, failure), "tick");
  if (beside) loop_.create_task(run_beside(beside, scheduler, failure), "beside");
  run::Record record = loop_.run(scheduler.run());
  executors_->session.close_connections();
  executors_->fetch.forget();
  if (pump_ && !failure) pump_->end();
  if (failure) std::rethrow_exception(failure);
  return record;
}

void connect(Engine& engine, report::Plain& plain) {
  engine.on_foreground([&](bool taken) { plain.lend_terminal(taken); });
  engine.on_status_request([&](Duration now) {
    plain.show_status(now, [&](job::TaskId id, run::Stream stream, const run::Output::Sink& sink) {
      engine.last_output(id, stream, sink);
    });
  });
}

void end(ExitStatus status) {
  const int code = static_cast<int>(status);
  int number = 0;
  if (status == ExitStatus::hung_up || status == ExitStatus::interrupted || status == ExitStatus::terminated)
    number = code - 128;
  if (number != 0) {
    std::signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    std::raise(number);
  }
  std::exit(code);
}

}  // namespace gather::cmd
