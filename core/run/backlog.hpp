/// Outputs that wait for their turn to be printed, all in one file: however many wait, they cost one
/// descriptor and no memory.
#pragma once

#include "core/process/descriptor.hpp"
#include "core/run/observer.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace gather::run {

/// One file without a name in TMPDIR, opened with the first output that waits. What is dropped gives its
/// place back to the disk: at once where the file system knows holes, and whenever nothing waits.
class Backlog {
 public:
  /// A copy that lives in the file, and is as good as the original for as long as anybody holds it, whatever
  /// becomes of this object. Blocks as long as the disk does. Throws Error(task_failed) if it can't be
  /// written.
  std::shared_ptr<const Output> keep(const Output& output);

  /// The same for both streams of an attempt.
  AttemptOutput keep(const AttemptOutput& output);

 private:
  class Kept;
  struct File {
    process::Descriptor descriptor;
    std::atomic<std::uint64_t> waiting = 0;  // Any thread may drop what waits.
  };

  std::shared_ptr<File> file_;
  std::uint64_t end_ = 0;  // Where the next one begins.
};

}  // namespace gather::run
