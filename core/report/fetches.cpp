#include "core/report/fetches.hpp"

#include "core/base/quote.hpp"
#include "core/report/columns.hpp"
#include "core/report/status.hpp"
#include "core/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gather::report {
namespace {

constexpr Duration heartbeat_interval = std::chrono::seconds(30);
constexpr Duration draw_interval = std::chrono::milliseconds(90);  // A tick that comes early still draws.
constexpr Duration least_for_a_rate = std::chrono::milliseconds(1);

std::string rate_text(std::uint64_t bytes, Duration length) {
  if (length < least_for_a_rate) return "";
  return show_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / to_seconds(length))) + "/s";
}

/// Whole seconds, at least one: it is a guess.
std::string show_estimate(Duration length) {
  const auto seconds = std::max(std::chrono::ceil<std::chrono::seconds>(length), std::chrono::seconds(1));
  return seconds < std::chrono::minutes(1) ? fmt::format("{} s", seconds.count()) : show(seconds);
}

bool failed(run::State state) { return state == run::State::failed || state == run::State::timed_out; }

/// ": dns 1.2 ms, connect …"; empty if no server was asked. Without what took no time.
std::string phases(const run::AttemptRecord& attempt) {
  if (!attempt.transfer) return "";
  std::string text;
  const auto add = [&](std::string_view name, Duration length) {
    if (length > Duration::zero())
      text += fmt::format("{}{} {}", text.empty() ? ": " : ", ", name, show(length));
  };
  add("name", attempt.transfer->dns);
  add("connect", attempt.transfer->connect);
  add("TLS", attempt.transfer->tls);
  add("first byte", attempt.transfer->first_byte);
  add("body", attempt.transfer->body);
  return text;
}

}  // namespace

std::string show_bytes(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::array units{"kB", "MB", "GB", "TB", "PB", "EB"};
  double amount = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; amount >= 999.5 && unit + 1 < units.size(); ++unit) amount /= 1000;
  const int decimals = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", amount, decimals, units[unit]);
}

Fetches::~Fetches() {
  try {
    erase_live_line();
    terminal_.flush();
  } catch (const Error&) {  // An error is on its way already, or run_ended would have thrown it.
  }
}

void Fetches::tick(Duration now) {
  now_ = std::max(now_, now);
  const bool shows =
      job_ != nullptr && options_.progress == Progress::bar && options_.verbosity != Verbosity::quiet;
  const auto columns = terminal_.columns();
  if (shows && columns && now_ - drawn_at_ >= draw_interval) {
    // One column stays free: a full line would make some terminals wrap.
    terminal_.err("\r" + cut(progress_text(), *columns - 1) + "\x1b[K");
    live_line_shown_ = true;
    drawn_at_ = now_;
  }
  if (shows && !columns && now_ - heartbeat_at_ >= heartbeat_interval) {
    heartbeat_at_ = now_;
    say(progress_text());
  }
  terminal_.flush();
}

void Fetches::show_status(Duration now) {
  if (job_ == nullptr) return;
  erase_live_line();
  terminal_.err(status(*job_, running_, now, [](job::TaskId, run::Stream, const run::Output::Sink&) {}));
  terminal_.flush();
}

std::string Fetches::progress_text() const {
  const std::uint64_t bytes = received_();
  std::string text = show_bytes(bytes) + "  ";
  if (const std::string rate = rate_text(bytes, now_); !rate.empty()) text += rate + "  ";
  // By the number of files, since nobody knows the length of those that have not begun.
  const std::size_t left = job_->tasks.size() - running_.ended();
  if (running_.ended() > 0 && left > 0)
    text +=
        show_estimate(now_ * static_cast<std::int64_t>(left) / static_cast<std::int64_t>(running_.ended())) +
        " left  ";
  return running_.text(*job_, now_, text);
}

void Fetches::run_started(const job::Job& job, const run::Record&) {
  job_ = &job;
  running_ = Running(job.tasks.size());
}

void Fetches::attempt_started(job::TaskId id, int number) {
  running_.started(id, now_);
  if (options_.verbosity == Verbosity::verbose)
    say(fmt::format("fetching: {}{}", inert((*job_)[id].id),
                    number > 1 ? fmt::format(" (attempt {})", number) : ""));
}

void Fetches::attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                             const run::AttemptOutput&) {
  now_ = std::max(now_, attempt.start + attempt.length);
  running_.stopped(id);
  if (detailed() && options_.verbosity != Verbosity::quiet)
    say(fmt::format("fetch again in {}: {}: {}", show(wait), inert((*job_)[id].id),
                    inert(run::describe(attempt.outcome))));
}

void Fetches::task_ended(job::TaskId id, const run::TaskRecord& task, std::span<const run::AttemptOutput>) {
  now_ = std::max(now_, task.ended_at.value_or(now_));
  running_.stopped(id);
  running_.ended(failed(task.state));
  const bool passed = run::is_success(task.state);
  if (passed && (!detailed() || options_.verbosity == Verbosity::quiet)) return;
  const std::string url = inert((*job_)[id].id);
  if (passed) {
    say(fmt::format("{}: {} ({} in {}{})", painted("fetched", task.state, options_.colour), url,
                    show_bytes(task.attempts.back().bytes_in), show(task.length()),
                    options_.verbosity == Verbosity::verbose ? phases(task.attempts.back()) : ""));
  } else if (failed(task.state) || !task.attempts.empty()) {  // Else it was stopped before it began.
    say(fmt::format(
        "{}: {}: {}",
        painted(failed(task.state) ? "fetch failed" : "fetch cancelled", task.state, options_.colour), url,
        inert(task.reason)));
  }
}

void Fetches::run_stopping(std::string_view why) {
  say(fmt::format("stopping: {}", inert(why)));
  terminal_.flush();
}

void Fetches::run_ended(const run::Record& record) {
  erase_live_line();
  if (options_.verbosity != Verbosity::quiet) {
    std::uint64_t bytes = 0;
    std::size_t passed = 0;
    for (const run::TaskRecord& task : record.tasks) {
      if (!run::is_success(task.state)) continue;
      ++passed;
      bytes += task.attempts.empty() ? 0 : task.attempts.back().bytes_in;
    }
    const std::string rate = rate_text(bytes, record.wall);
    say(fmt::format("fetched {} of {}, {} in {}{}", passed, count_of(record.tasks.size(), "URL"),
                    show_bytes(bytes), show(record.wall), rate.empty() ? "" : " (" + rate + ")"));
  }
  if (const std::string failures = digest(*job_, record, {}, options_.colour); !failures.empty())
    terminal_.err(failures);
  terminal_.flush();
  job_ = nullptr;
}

void Fetches::say(std::string_view text) {
  erase_live_line();
  terminal_.err(fmt::format("{}\n", text));
}

void Fetches::erase_live_line() {
  if (!live_line_shown_) return;
  live_line_shown_ = false;
  terminal_.err("\r\x1b[K");
}

}  // namespace gather::report
