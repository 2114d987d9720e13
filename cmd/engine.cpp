#include "cmd/engine.hpp"

#include "core/async/loop/running.hpp"
#include "core/async/loop/task_tree.hpp"
#include "core/net/session.hpp"
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

}  // namespace

struct Engine::Executors {
  explicit Executors(async::Loop& loop) : session(loop), process(environment()), fetch(session) {}

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
  watches_.push_back(std::make_unique<async::SignalWatch>(
      loop_, SIGUSR2, [this](int) { std::fputs(async::describe_tasks(loop_).c_str(), stderr); }));
}

Engine::~Engine() = default;

std::uint64_t Engine::received() const { return executors_->fetch.received(); }

void Engine::fetch_anew() { executors_->fetch.fetch_anew(); }

void Engine::signalled(int number) {
  if (signal_ == 0) signal_ = number;
  if (running_ != nullptr) running_->stop(request_for(number));
}

run::Record Engine::run(const job::Job& job, run::Options options, run::Observer& observer,
                        const Tick& tick) {
  options.run_id = new_run_id(random_);
  const run::StatedDurations durations;
  run::Scheduler scheduler(job, std::move(options), durations,
                           {executors_->sleep, executors_->process, executors_->fetch}, random_, observer);
  if (signal_ != 0) scheduler.stop(request_for(signal_));
  running_ = &scheduler;
  struct Stop {
    run::Scheduler*& running;
    ~Stop() { running = nullptr; }
  } const stop{running_};
  std::exception_ptr failure;
  loop_.create_task(tick_for_ever(tick, scheduler, failure), "tick");
  run::Record record = loop_.run(scheduler.run());
  executors_->session.close_connections();
  executors_->fetch.forget();
  if (failure) std::rethrow_exception(failure);
  return record;
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
