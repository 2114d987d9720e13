#include "cmd/fetch_results.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/process/spool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gather::cmd {
namespace {

[[noreturn]] void refuse(std::string_view what, int error) {
  throw Error(ExitStatus::task_failed,
              fmt::format("a body that waits for its turn can't be {} {}: {}; TMPDIR names another place",
                          what, in_quotes(process::spool_folder()), system_error_text(error)));
}

}  // namespace

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
    keep(*body, entry);
  }
  if (index == next_) write_what_is_due();
}

std::string FetchResults::line_for(job::TaskId id, const run::TaskRecord& task) const {
  const auto& fetch = *std::get<std::unique_ptr<const job::Fetch>>((*job_)[id].action);
  const std::string path = fetch.output ? (job_->directory / *fetch.output).lexically_normal().string() : "";
  if (printed_ == Printed::path) return path + "\n";
  return fmt::format("{}  {}\n", task.attempts.back().sha256, path);  // As sha256sum has it.
}

void FetchResults::keep(const run::Output& body, Waiting& waiting) {
  if (!file_) file_ = process::open_nameless_file();
  if (!file_) refuse("kept in", errno);
  waiting.offset = filed_;
  body.read([&](std::string_view piece) {
    while (!piece.empty()) {
      const ssize_t written = ::pwrite(file_.get(), piece.data(), piece.size(), static_cast<off_t>(filed_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) refuse("kept in", errno);
      filed_ += static_cast<std::uint64_t>(written);
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
  });
  waiting.length = filed_ - waiting.offset;
}

void FetchResults::write(const Waiting& waiting) {
  if (!waiting.line.empty() || waiting.length > 0) before_writing_();
  terminal_.out(waiting.line);
  std::array<char, 64 * 1024> piece;
  for (std::uint64_t done = 0; done < waiting.length;) {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), waiting.length - done));
    const ssize_t length =
        ::pread(file_.get(), piece.data(), wanted, static_cast<off_t>(waiting.offset + done));
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) refuse("read back from", length < 0 ? errno : EIO);
    terminal_.out({piece.data(), static_cast<std::size_t>(length)});
    done += static_cast<std::uint64_t>(length);
  }
}

void FetchResults::write_what_is_due() {
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    write(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    ++next_;
  }
  terminal_.flush();  // A pipe's reader gets it at once, and is missed at once when gone.
  if (!waiting_.empty() || filed_ == 0) return;
  if (::ftruncate(file_.get(), 0) == 0) filed_ = 0;
}

}  // namespace gather::cmd
