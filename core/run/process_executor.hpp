/// Runs `run` and `shell` tasks: a process in a group of its own, its output captured.
#pragma once

#include "core/process/descriptor.hpp"
#include "core/process/starter.hpp"
#include "core/run/executor.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gather::run {

/// The loop that its attempts run on is found with the first of them.
class ProcessExecutor final : public Executor {
 public:
  /// `inherited` is the environment that processes start from, "NAME=value" each; variables of gather's own
  /// (GATHER_…) are not passed on.
  explicit ProcessExecutor(std::vector<std::string> inherited);
  ~ProcessExecutor() override;

  async::Co<> attempt(const AttemptContext& context, AttemptResult& result) override;

 private:
  async::ChildSpec spec_for(const AttemptContext& context) const;

  std::vector<std::string> inherited_;
  std::unique_ptr<process::Starter> starter_;
  process::Descriptor null_;  // Every child's standard input.
};

}  // namespace gather::run
