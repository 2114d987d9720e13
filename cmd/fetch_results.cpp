#include "cmd/fetch_results.hpp"

#include <fmt/format.h>

namespace gather::cmd {

void FetchResults::run_started(const job::Job& job, const run::Record&) {
  job_ = &job;
  fetched_.assign(job.tasks.size(), false);
}

void FetchResults::task_ended(job::TaskId id, const run::TaskRecord& task,
                              std::span<const run::AttemptOutput> outputs) {
  const std::size_t index = job::index(id);
  const bool passed = run::is_success(task.state);
  fetched_[index] = passed;
  if (printed_ == Printed::nothing) return;
  Waiting due;
  if (passed && printed_ == Printed::body && !outputs.empty()) due.body = outputs.back().out;
  if (passed && printed_ != Printed::body) due.line = line_for(id, task);
  if (index != next_) {
    if (due.body) due.body = backlog_.keep(due.body);
    waiting_.emplace(index, std::move(due));
    return;
  }
  write(due);
  ++next_;
  while (const auto next = waiting_.extract(next_)) {
    write(next.mapped());
    ++next_;
  }
  terminal_.flush();  // A pipe's reader gets it at once, and is missed at once when gone.
}

std::string FetchResults::line_for(job::TaskId id, const run::TaskRecord& task) const {
  const auto& fetch = *std::get<std::unique_ptr<const job::Fetch>>((*job_)[id].action);
  const auto& transfer = task.attempts.back().transfer;
  const std::string path = fetch.output ? (job_->directory / *fetch.output).lexically_normal().string()
                           : transfer   ? transfer->saved_as
                                        : "";
  if (printed_ == Printed::path) return path + "\n";
  return fmt::format("{}  {}\n", task.attempts.back().sha256, path);  // As sha256sum has it.
}

void FetchResults::write(const Waiting& waiting) {
  if (waiting.line.empty() && !waiting.body) return;
  before_writing_();
  terminal_.out(waiting.line);
  if (waiting.body) waiting.body->read([&](std::string_view piece) { terminal_.out_at_once(piece); });
}

}  // namespace gather::cmd
