/// Outputs that wait for their turn to be printed: a little of them in memory, the rest in one file, so that
/// they cost one descriptor and a bounded amount of memory however many wait.
#pragma once

#include "core/process/descriptor.hpp"
#include "core/run/observer.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace gather::run {

/// One file without a name in TMPDIR, opened with the first output that finds no room in memory. What is
/// dropped gives its place back: in memory at once; on the disk at once where the file system knows holes,
/// and whenever nothing waits there.
class Backlog {
 public:
  Backlog() = default;
  /// At most so many bytes wait in memory.
  explicit Backlog(std::size_t memory) noexcept : most_in_memory_(memory) {}

  /// As good as the original for as long as anybody holds it, whatever becomes of this object: a copy, or, if
  /// that is small and in memory, the original itself. Blocks as long as the disk does. Throws
  /// Error(task_failed) if it can't be written, std::bad_alloc.
  std::shared_ptr<const Output> keep(const std::shared_ptr<const Output>& output);

  /// The same for both streams of an attempt.
  AttemptOutput keep(const AttemptOutput& output);

 private:
  using Count = std::atomic<std::uint64_t>;  // Any thread may drop what waits.
  class InMemory;
  class Held;
  class InFile;
  struct File {
    process::Descriptor descriptor;
    Count waiting = 0;
  };

  bool has_room_for(std::uint64_t bytes) const;
  std::shared_ptr<const Output> keep_in_file(const Output& output);

  std::size_t most_in_memory_ = std::size_t{4} * 1024 * 1024;
  std::shared_ptr<Count> in_memory_ = std::make_shared<Count>(0);  // Bytes.
  std::shared_ptr<File> file_;
  std::uint64_t end_ = 0;  // Where the next one begins.
};

}  // namespace gather::run
