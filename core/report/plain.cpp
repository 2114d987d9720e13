#include "core/report/plain.hpp"

#include "core/base/quote.hpp"
#include "core/report/columns.hpp"
#include "core/report/harmless.hpp"
#include "core/report/hints.hpp"
#include "core/report/labels.hpp"
#include "core/report/leaks.hpp"
#include "core/report/progress_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gather::report {
namespace {

constexpr Duration heartbeat_interval = std::chrono::seconds(30);
constexpr Duration heartbeat_asked_for = std::chrono::seconds(10);
constexpr Duration flush_interval = std::chrono::milliseconds(50);
constexpr Duration draw_interval = std::chrono::milliseconds(90);  // A tick that comes early still draws.
constexpr std::size_t columns_without_terminal = 100;
constexpr std::size_t tails_kept = 10;  // Failed tasks whose last lines the digest repeats.
constexpr std::size_t lines_kept = 10;

bool failed(run::State state) { return state == run::State::failed || state == run::State::timed_out; }

/// A task that a stopped run never began. There may be thousands, so the digest counts them.
bool never_began(const run::TaskRecord& task) {
  return task.state == run::State::cancelled && task.attempts.empty();
}

}  // namespace

Plain::Plain(Terminal& terminal, PlainOptions options) : terminal_(terminal), options_(std::move(options)) {
  if (options_.streamed)
    streamed_.emplace(terminal_, Streamed::Options{options_.output == TaskOutput::all_to_err, options_.tag,
                                                   [this] { erase_live_line(); }});
}

Plain::~Plain() {
  try {
    erase_live_line();
    terminal_.flush();
  } catch (const Error&) {  // An error is on its way already, or run_ended would have thrown it.
  }
}

void Plain::tick(Duration now) {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  now_ = std::max(now_, now);
  const bool progress = !terminal_.congested() && job_ != nullptr && options_.progress &&
                        options_.verbosity != Verbosity::quiet;
  const auto columns = terminal_.columns();
  if (progress && columns && now_ - drawn_at_ >= draw_interval) draw(*columns);
  const Duration interval = options_.eta || options_.bar ? heartbeat_asked_for : heartbeat_interval;
  if (progress && !columns && now_ - heartbeat_at_ >= interval) {
    heartbeat_at_ = now_;
    say(progress_text() + "\n");
  }
  terminal_.flush();
  flushed_at_ = now_;
}

void Plain::lend_terminal(bool lent) {
  try {
    if (lent) erase_live_line();
    terminal_.hold(lent);
  } catch (const Error&) {
    failure_ = std::current_exception();
  }
}

void Plain::show_status(Duration now, const LastOutput& last_output) {
  if (job_ == nullptr) return;
  say(status(*job_, running_, now, last_output));
  terminal_.flush();
}

void Plain::run_started(const job::Job& job, const run::Record&) {
  job_ = &job;
  running_ = Running(job.tasks.size());
  failures_.clear();
  shown_early_.clear();
  ended_early_.clear();
  next_in_order_ = job::TaskId{};
  now_ = flushed_at_ = drawn_at_ = heartbeat_at_ = Duration(0);
}

void Plain::attempt_started(job::TaskId id, int number) {
  running_.started(id, now_);
  if (options_.verbosity != Verbosity::verbose) return;
  say_line("start", run::State::running, {},
           inert((*job_)[id].id) + (number > 1 ? fmt::format(": attempt {}", number) : ""));
  flush_if_due();
}

void Plain::attempt_is_slow(job::TaskId id, Duration since_start) {
  say_line("slow", run::State::flaky, since_start, inert((*job_)[id].id) + ": still running");
  terminal_.flush();
}

void Plain::note(std::string_view sentence) {
  say(fmt::format("gather: {}\n", sentence));
  terminal_.flush();
}

void Plain::attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                           const run::AttemptOutput& output) {
  now_ = std::max(now_, attempt.start + attempt.length);
  running_.stopped(id);
  const bool seen = streamed_ && streamed_->end(id);
  if (options_.verbosity != Verbosity::quiet)
    say_line("retry", run::State::flaky, attempt.length,
             fmt::format("{}: {}; again in {}", inert((*job_)[id].id), inert(run::describe(attempt.outcome)),
                         show(wait)));
  if (options_.verbosity == Verbosity::verbose && options_.shown != Shown::none && !seen) pass_on(id, output);
  if (options_.verbosity == Verbosity::verbose || seen) shown_early_[id] = attempt.number;
  flush_if_due();
}

void Plain::task_ended(job::TaskId id, const run::TaskRecord& task,
                       std::span<const run::AttemptOutput> outputs) {
  now_ = std::max(now_, task.ended_at.value_or(now_));
  running_.stopped(id);
  running_.ended(failed(task.state));
  if (streamed_ && streamed_->end(id)) shown_early_[id] = task.attempts.back().number;
  if (options_.in_order && id != next_in_order_) {
    Ended& ended = ended_early_.emplace(id, Ended{task, {}}).first->second;
    for (const run::AttemptOutput& output : outputs) ended.outputs.push_back(backlog_.keep(output));
    return;
  }
  show_ended(id, task, outputs);
  if (options_.in_order) {
    next_in_order_ = job::TaskId(job::index(id) + 1);
    while (const auto next = ended_early_.extract(next_in_order_)) {
      show_ended(next.key(), next.mapped().task, next.mapped().outputs);
      next_in_order_ = job::TaskId(job::index(next.key()) + 1);
    }
  }
  flush_if_due();
}

void Plain::attempt_wrote(job::TaskId id, run::Stream stream, std::string_view piece) noexcept {
  if (failure_) return;
  try {
    streamed_->add(id, stream, piece);
    terminal_.flush();
  } catch (const Error&) {
    failure_ = std::current_exception();
  }
}

void Plain::show_ended(job::TaskId id, const run::TaskRecord& task,
                       std::span<const run::AttemptOutput> outputs) {
  const bool is_news = failed(task.state) || task.state == run::State::cancelled;
  if (!never_began(task) && (is_news || (options_.lines && options_.verbosity != Verbosity::quiet)))
    say_line(word(task.state), task.state,
             task.attempts.empty() ? std::nullopt : std::optional(task.length()),
             inert((*job_)[id].id) + (task.reason.empty() ? "" : ": " + inert(task.reason)));
  show_outputs(id, task, outputs);
}

void Plain::show_outputs(job::TaskId id, const run::TaskRecord& task,
                         std::span<const run::AttemptOutput> outputs) {
  int shown = 0;  // The last attempt that needs no showing.
  if (const auto early = shown_early_.find(id); early != shown_early_.end()) {
    shown = early->second;
    shown_early_.erase(early);
  }
  if (outputs.empty()) return;
  const bool passed = run::is_success(task.state);
  const int last = outputs.back().attempt;
  if (passed) shown = std::max(shown, last - 1);
  const bool shows = options_.shown == Shown::all || (options_.shown == Shown::failures && !passed);
  for (const run::AttemptOutput& output : outputs) {
    if (!shows || output.attempt <= shown || (!output.out && !output.err)) continue;
    if (last > shown + 1)
      say_line(fmt::format("attempt {}", output.attempt), run::State::waiting, {}, inert((*job_)[id].id));
    pass_on(id, output);
  }
  if (failed(task.state)) note_failure(id, outputs.back());
}

void Plain::note_failure(job::TaskId id, const run::AttemptOutput& output) {
  if (failures_.size() == tails_kept || (!output.out && !output.err)) return;
  const auto lines_of = [](const run::Output* written) {
    Tail tail;
    if (written != nullptr)
      written->read_end(Tail::most_kept, [&](std::string_view piece) { tail.add(piece); });
    return tail.lines(lines_kept);
  };
  std::vector<std::string> lines = lines_of(output.err.get());
  const std::string_view hint = terminal_hint(lines);
  if (lines.empty()) lines = lines_of(output.out.get());  // Many programs explain themselves there.
  failures_.push_back({id, std::move(lines), std::string(hint)});
}

void Plain::run_stopping(std::string_view why) {
  say_line("stopping", run::State::cancelled, {}, inert(why));
  terminal_.flush();
}

void Plain::run_ended(const run::Record& record) {
  std::string text;
  if (options_.summary && options_.verbosity != Verbosity::quiet) {
    const analyse::Figures figures = analyse::figures(*job_, record);
    text +=
        "\n" + table(*job_, record, terminal_.columns().value_or(columns_without_terminal), options_.colour);
    text += "\n" + figures_text(*job_, record, figures);
  }
  if (options_.verbosity != Verbosity::quiet) text += leaks(*job_, record);
  if (options_.digest)
    if (const std::string failures = digest(*job_, record, failures_, options_.colour); !failures.empty())
      text += "\n" + failures;
  if (text.empty())
    erase_live_line();
  else
    say(text);
  terminal_.flush();
  job_ = nullptr;
}

void Plain::say(std::string_view text) {
  erase_live_line();
  if (streamed_) {
    streamed_->say(text);
    return;
  }
  if (!fresh_line_) terminal_.err("\n");
  terminal_.err(text);
  fresh_line_ = true;
}

void Plain::say_line(std::string_view word, run::State paint, std::optional<Duration> length,
                     std::string_view text) {
  say(fmt::format("{}  {:>7}  {}\n", painted(padded(word, 9), paint, options_.colour),
                  length ? show(*length) : "", text));
}

void Plain::pass_on(job::TaskId id, const run::AttemptOutput& output) {
  if (output.out) pass_on(id, *output.out, options_.output == TaskOutput::own_streams);
  if (output.err) pass_on(id, *output.err, false);
  if (output.out)
    terminal_.flush();  // A pipe's reader gets each task's block at once, and is missed at once when gone.
}

void Plain::pass_on(job::TaskId id, const run::Output& output, bool to_out) {
  erase_live_line();
  const bool beside_ours = !to_out || terminal_.shared();
  const bool on_terminal = to_out ? terminal_.out_is_terminal() : terminal_.err_is_terminal();
  bool escapes = false;
  Labels labels(options_.tag ? options_.tag(id) : "");
  Harmless harmless;
  const auto put = [&](std::string_view text) { to_out ? terminal_.out(text) : terminal_.err(text); };
  const auto pass = [&](std::string_view piece) {
    if (piece.empty()) return;
    put(labels.on(piece));
    if (beside_ours) fresh_line_ = piece.ends_with('\n');
    escapes = escapes || piece.contains('\x1b');
  };
  output.read([&](std::string_view piece) { pass(on_terminal ? harmless.on(piece) : piece); });
  pass(harmless.rest());
  // Its colours end with it.
  if (escapes && (on_terminal || (beside_ours && options_.colour == Colour::on))) put("\x1b[0m");
}

void Plain::draw(std::size_t columns) {
  if (!fresh_line_) terminal_.err("\n");
  fresh_line_ = true;
  // One column stays free: a full line would make some terminals wrap.
  terminal_.err("\r" + cut(progress_text(), columns - 1) + "\x1b[K");
  live_line_shown_ = true;
  drawn_at_ = now_;
}

std::string Plain::progress_text() const {
  std::string between;
  const std::size_t total = job_->tasks.size();
  if (options_.bar) between += bar_text(running_.ended(), total) + "  ";
  if (options_.eta) between += eta_text(running_.ended(), total, now_) + "  ";
  return running_.text(*job_, now_, between);
}

void Plain::erase_live_line() {
  if (!live_line_shown_) return;
  live_line_shown_ = false;
  terminal_.err("\r\x1b[K");
}

// Between ticks lines appear as soon as 50 ms have passed, so that a burst of endings costs few writes.
void Plain::flush_if_due() {
  if (now_ - flushed_at_ < flush_interval) return;
  terminal_.flush();
  flushed_at_ = now_;
}

}  // namespace gather::report
