#include "core/report/plain.hpp"

#include "core/base/quote.hpp"
#include "core/report/columns.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::report {
namespace {

constexpr Duration heartbeat_interval = std::chrono::seconds(30);
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

/// Puts a label before each line of a text that comes in pieces.
class Labels {
 public:
  explicit Labels(std::string label) : label_(std::move(label)) {}

  /// The piece with its labels; good until the next call.
  std::string_view on(std::string_view piece) {
    if (label_.empty()) return piece;
    labelled_.clear();
    while (!piece.empty()) {
      if (line_begins_) labelled_ += label_;
      const std::size_t end = std::min(piece.find('\n'), piece.size() - 1) + 1;
      labelled_ += piece.substr(0, end);
      line_begins_ = piece[end - 1] == '\n';
      piece.remove_prefix(end);
    }
    return labelled_;
  }

 private:
  std::string label_;
  std::string labelled_;
  bool line_begins_ = true;
};

}  // namespace

Plain::~Plain() {
  try {
    erase_live_line();
    terminal_.flush();
  } catch (const Error&) {  // An error is on its way already, or run_ended would have thrown it.
  }
}

void Plain::tick(Duration now) {
  now_ = std::max(now_, now);
  const bool progress = job_ != nullptr && options_.progress && options_.verbosity != Verbosity::quiet;
  const auto columns = terminal_.columns();
  if (progress && columns && now_ - drawn_at_ >= draw_interval) draw(*columns);
  if (progress && !columns && now_ - heartbeat_at_ >= heartbeat_interval) {
    heartbeat_at_ = now_;
    say(running_.text(*job_, now_) + "\n");
  }
  terminal_.flush();
  flushed_at_ = now_;
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

void Plain::attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                           const run::AttemptOutput& output) {
  now_ = std::max(now_, attempt.start + attempt.length);
  running_.stopped(id);
  if (options_.verbosity != Verbosity::quiet)
    say_line("retry", run::State::flaky, attempt.length,
             fmt::format("{}: {}; again in {}", inert((*job_)[id].id), inert(run::describe(attempt.outcome)),
                         show(wait)));
  if (options_.verbosity == Verbosity::verbose) {
    pass_on(id, output, nullptr, nullptr);
    shown_early_[id] = attempt.number;
  }
  flush_if_due();
}

void Plain::task_ended(job::TaskId id, const run::TaskRecord& task,
                       std::span<const run::AttemptOutput> outputs) {
  now_ = std::max(now_, task.ended_at.value_or(now_));
  running_.stopped(id);
  running_.ended(failed(task.state));
  if (options_.in_order && id != next_in_order_) {
    ended_early_.emplace(id, Ended{task, {outputs.begin(), outputs.end()}});
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
  const bool passed = run::is_success(task.state);
  if (outputs.empty() || (passed && options_.output == TaskOutput::failures_to_err)) return;
  const int last = outputs.back().attempt;
  if (passed) shown = last - 1;
  for (const run::AttemptOutput& output : outputs) {
    if (output.attempt <= shown || (!output.out && !output.err)) continue;
    if (last > shown + 1)
      say_line(fmt::format("attempt {}", output.attempt), run::State::waiting, {}, inert((*job_)[id].id));
    Tail out;
    Tail err;
    pass_on(id, output, &out, &err);
    if (output.attempt != last || !failed(task.state) || failures_.size() == tails_kept) continue;
    std::vector<std::string> lines = err.lines(lines_kept);
    if (lines.empty()) lines = out.lines(lines_kept);  // Many programs explain themselves there.
    failures_.push_back({id, std::move(lines)});
  }
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
  if (!fresh_line_) terminal_.err("\n");
  terminal_.err(text);
  fresh_line_ = true;
}

void Plain::say_line(std::string_view word, run::State paint, std::optional<Duration> length,
                     std::string_view text) {
  say(fmt::format("{}  {:>7}  {}\n", painted(padded(word, 9), paint, options_.colour),
                  length ? show(*length) : "", text));
}

void Plain::pass_on(job::TaskId id, const run::AttemptOutput& output, Tail* out, Tail* err) {
  if (output.out) pass_on(id, *output.out, options_.output == TaskOutput::own_streams, out);
  if (output.err) pass_on(id, *output.err, false, err);
  if (output.out)
    terminal_.flush();  // A pipe's reader gets each task's block at once, and is missed at once when gone.
}

void Plain::pass_on(job::TaskId id, const run::Output& output, bool to_out, Tail* tail) {
  erase_live_line();
  const bool beside_ours = !to_out || terminal_.shared();
  bool escapes = false;
  Labels labels(options_.tag ? options_.tag(id) : "");
  output.read([&](std::string_view piece) {
    if (piece.empty()) return;
    const std::string_view shown = labels.on(piece);
    to_out ? terminal_.out(shown) : terminal_.err(shown);
    if (tail != nullptr) tail->add(piece);
    if (!beside_ours) return;
    fresh_line_ = piece.ends_with('\n');
    escapes = escapes || piece.contains('\x1b');
  });
  if (escapes && options_.colour == Colour::on) terminal_.err("\x1b[0m");  // Its colours end with it.
}

void Plain::draw(std::size_t columns) {
  if (!fresh_line_) terminal_.err("\n");
  fresh_line_ = true;
  // One column stays free: a full line would make some terminals wrap.
  terminal_.err("\r" + cut(running_.text(*job_, now_), columns - 1) + "\x1b[K");
  live_line_shown_ = true;
  drawn_at_ = now_;
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
