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
  const run::Output* body =
      passed && printed_ == Printed::body && !outputs.empty() ? outputs.back().out.get() : nullptr;
  Waiting& entry = waiting_[index];
  if (passed && printed_ != Printed::body) entry.line = line_for(id, task);
  if (index == next_ && body != nullptr) {
    before_writing_();
    body->read([&](std::string_view piece) { terminal_.out(piece); });
  } else if (body != nullptr) {
    entry.body = backlog_.keep(*body);
  }
  if (index == next_) write_what_is_due();
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
  if (!waiting.line.empty() || waiting.body) before_writing_();
  terminal_.out(waiting.line);
  if (waiting.body) waiting.body->read([&](std::string_view piece) { terminal_.out(piece); });
}

void FetchResults::write_what_is_due() {
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    write(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    ++next_;
  }
  terminal_.flush();  // A pipe's reader gets it at once, and is missed at once when gone.
}

}  // namespace gather::cmd
