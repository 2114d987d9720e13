/// What `gather fetch` writes to standard output: paths, checksums or whole bodies, in the order of the URLs.
#pragma once

#include "core/report/terminal.hpp"
#include "core/run/backlog.hpp"
#include "core/run/observer.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gather::cmd {

enum class Printed : std::uint8_t { nothing, path, sha256, body };

/// Each URL's part is written as soon as all before it have ended; a failed one has none. Bodies that come
/// before their turn wait in a run::Backlog, so memory and descriptors stay bounded however far ahead they
/// are.
///
/// Throws Error like Terminal::out and Backlog::keep, which stops the run.
class FetchResults final : public run::Observer {
 public:
  /// `before_writing` is called before anything goes to the terminal, which outlives this.
  FetchResults(report::Terminal& terminal, Printed printed, std::function<void()> before_writing)
      : terminal_(terminal), printed_(printed), before_writing_(std::move(before_writing)) {}

  void run_started(const job::Job& job, const run::Record& record) override;
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override;

  /// Whether the URL with this index is known to have been fetched.
  bool fetched(std::size_t index) const { return index < fetched_.size() && fetched_[index]; }

 private:
  /// What waits for its turn: a line, or a body.
  struct Waiting {
    std::string line;
    std::shared_ptr<const run::Output> body;
  };

  std::string line_for(job::TaskId id, const run::TaskRecord& task) const;
  void write(const Waiting& waiting);

  report::Terminal& terminal_;
  Printed printed_;
  std::function<void()> before_writing_;
  const job::Job* job_ = nullptr;
  std::vector<bool> fetched_;
  std::size_t next_ = 0;                    // Whose turn it is.
  std::map<std::size_t, Waiting> waiting_;  // Of those that have ended after that.
  run::Backlog backlog_;
};

}  // namespace gather::cmd
