/// Takes a task's `outputs` of what an attempt has given. Only executors include this.
#pragma once

#include "core/async/task/co.hpp"
#include "core/job/templates/outputs.hpp"
#include "core/run/executor.hpp"
#include "core/run/observer.hpp"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace gather::run {

/// What there is of an attempt that passed.
struct Given {
  /// A process's standard output (null: nothing), or a body: in memory, or in the file that was made.
  std::variant<std::shared_ptr<const Output>, std::string, std::filesystem::path> text;
  std::optional<int> status = {};   ///< Nothing if nobody was asked.
  std::filesystem::path path = {};  ///< Of that file, as the task's processes could name it.
  std::string sha256 = {};          ///< Empty if it is not known.
  /// The value of a header, several joined by commas; may be empty if `status` is.
  std::function<std::optional<std::string>(std::string_view name)> header = {};
};

/// Whether one of the task's outputs is a part of the text.
bool needs_text(const job::Task& task);
/// Whether one of them is taken of this.
bool needs(const job::Task& task, job::ResultPart part);

/// The values of the task's outputs, in their order; or why one of them can't be had, a sentence without a
/// final full stop. What has no value since nobody was asked is `null`. Resumes the caller on the loop; long
/// texts are read by a thread. Requires: the task has outputs.
async::Co<std::expected<std::vector<job::OutputValue>, Outcome>> outputs_of(const job::Task& task,
                                                                            Given given);

}  // namespace gather::run
