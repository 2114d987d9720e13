/// What a process wrote: a little in memory, the rest in a file that has no name. It knows no loop.
#pragma once

#include "core/process/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gather::process {

/// A new file without a name, for reading and writing, in TMPDIR (/tmp without it); empty with errno set if
/// there can be none.
Descriptor open_nameless_file();
/// Where that is.
std::string spool_folder();

/// Bytes appended in order, to be read back as often as wanted. At most `memory` bytes stay in memory; what
/// is more goes to a file in TMPDIR (/tmp without it) that is unlinked from the start, so that nothing is
/// left behind however we end.
///
/// Writing blocks the caller as long as the file system does. When it fails, what was kept so far can still
/// be read, later bytes are dropped, and failure() tells: a full disk must neither stop the process that
/// writes nor pass for a complete output.
class Spool {
 public:
  using Sink = std::function<void(std::string_view)>;

  /// What becomes of what has no room in memory.
  enum class Beyond : std::uint8_t {
    filed,
    dropped,  ///< Only the end is kept, between `memory` and twice as much.
  };

  Spool() = default;
  explicit Spool(std::size_t memory, Beyond beyond = Beyond::filed) noexcept
      : most_in_memory_(memory), beyond_(beyond) {}

  void append(std::string_view bytes);

  /// What read() gives.
  std::uint64_t size() const noexcept { return filed_ + tail_.size(); }

  /// Calls `sink` with everything, in order, in pieces that are valid during the call. Throws gather::Error
  /// if the file can't be read back.
  void read(const Sink& sink) const;
  /// The same of the last `most` bytes.
  void read_end(std::uint64_t most, const Sink& sink) const;

  /// Why it holds less than was appended, in words; empty if it holds all.
  const std::optional<std::string>& failure() const noexcept { return failure_; }

  /// Bytes of memory that are reserved for it.
  std::size_t memory() const noexcept { return tail_.capacity(); }
  /// Whether part of it is in a file.
  bool spilled() const noexcept { return filed_ > 0; }

 private:
  /// Appends to the file. Returns how many bytes it took; fewer than all set failure_.
  std::size_t write_out(std::string_view bytes);
  void keep_end(std::string_view bytes);
  void read_from(std::uint64_t at, const Sink& sink) const;

  std::size_t most_in_memory_ = std::size_t{64} * 1024;
  Beyond beyond_ = Beyond::filed;
  std::string tail_;         // What comes after the file's content.
  std::uint64_t filed_ = 0;  // Bytes in the file.
  Descriptor file_;          // Opened with the first byte that does not fit.
  std::optional<std::string> failure_;
};

}  // namespace gather::process
