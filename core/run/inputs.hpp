/// What processes read from their standard input: opened anew for each attempt; outputs and bodies that
/// others read are kept until the last of those has ended.
#pragma once

#include "core/process/descriptor.hpp"
#include "core/run/observer.hpp"

#include <cstddef>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>

namespace gather::run {

class Inputs final : public Observer {
 public:
  /// `job` outlives it. Tasks that are added to the job later read nothing.
  explicit Inputs(const job::Job& job);

  /// Whether another task reads what `id` writes to its standard output, or its body.
  bool is_read(job::TaskId id) const { return readers_.contains(id); }

  /// The standard input of an attempt at `task`, at its beginning; empty if it is to read nothing. An error
  /// is why it can't be had, in words. Blocks as long as the disk does.
  std::expected<process::Descriptor, std::string> open(const job::Task& task) const;

  void task_ended(job::TaskId id, const TaskRecord& task, std::span<const AttemptOutput> outputs) override;

 private:
  /// Null where nothing was written; a file for a fetch that made one.
  using Kept = std::variant<std::shared_ptr<const Output>, std::filesystem::path>;
  struct Open;

  Kept kept_of(job::TaskId id, const TaskRecord& task, std::span<const AttemptOutput> outputs) const;

  const job::Job& job_;
  std::unordered_map<job::TaskId, std::size_t> readers_;  // That have not ended.
  std::unordered_map<job::TaskId, Kept> kept_;
};

}  // namespace gather::run
