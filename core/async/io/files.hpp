/// Reading and writing files without holding up the loop: aiofiles' counterpart. Names are in fs.hpp.
#pragma once

#include "core/async/task/co.hpp"
#include "core/async/task/generator.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gather::async {

namespace fs {
struct Status;
}

/// What File::seek counts from.
enum class Whence : std::uint8_t { start, current, end };

/// An open file. Bytes are bytes: no encoding, no translation of line ends.
///
/// The system calls run on the loop's default pool, at most 1 MiB at a time. They are not let go of: a
/// cancelled caller is told when the one that is under way has ended, so nothing of it is still to come.
/// (libuv's own pool would serve as well, but has four threads, which names need too.) Hence this is for
/// files; a pipe or terminal works, but one that stays silent holds its reader even against a cancel, which a
/// stream does not.
///
/// Reading is buffered, writing is not: when a write has ended the kernel has the bytes, so there is no
/// flush(), and nothing to lose in close() or a destructor.
///
/// read…, write, seek and truncate go from the current position and take turns: one that begins before
/// another has ended throws InvalidState, as does any use after close(). read_at and write_at may run side by
/// side, and beside those. It must outlive those who wait in it; moving it is fine at any time. All throw
/// std::filesystem::filesystem_error, with the path and errno as its code(), and what default_pool throws.
class File {
 public:
  struct State;
  /// For the functions that open files.
  explicit File(std::unique_ptr<State> state) noexcept;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  /// Closes, on this thread; what that says is dropped.
  ~File();

  const std::filesystem::path& path() const noexcept;
  /// For calls that this class has not; -1 once closed. It stays the file's.
  int descriptor() const noexcept;

  /// Resumes with `most` bytes, or fewer at the end of the file, none when nothing is left. A cancelled read
  /// loses nothing.
  Co<std::string> read(std::size_t most);
  /// With everything that is left.
  Co<std::string> read_all();
  /// With the next line and its "\n", which the last one may lack; empty at the end of the file.
  Co<std::string> readline();
  /// All lines that are left, without their "\n".
  ///
  ///     auto lines = file.lines();
  ///     while (auto line = co_await lines.next()) use(*line);
  AsyncGenerator<std::string> lines();

  /// Resumes when the kernel has all of `bytes`, which are not copied. Cancelled, it may have taken some; the
  /// position tells how many.
  Co<> write(std::string_view bytes);

  /// Sets the position and gives it, in bytes from the start. Past the end is fine.
  Co<std::uint64_t> seek(std::int64_t offset, Whence from = Whence::start);
  /// The position. In a pipe, how many bytes have gone by.
  std::uint64_t tell() const noexcept;

  /// `count` bytes from `offset` on, fewer at the end of the file. The position stays.
  Co<std::string> read_at(std::uint64_t offset, std::size_t count);
  /// Not for files that were opened to append: Linux appends there all the same.
  Co<> write_at(std::uint64_t offset, std::string_view bytes);

  /// Cuts it, or fills it up with zeros; to the position if no size is given. The position stays.
  Co<> truncate(std::optional<std::uint64_t> size = {});
  /// Resumes when the disk has it: os.fsync, or os.fdatasync with `data_only`.
  Co<> fsync(bool data_only = false);
  Co<fs::Status> stat();

  /// Closes, and tells if the file system could not keep what was written; a cancelled call closes too. Can
  /// be repeated. Throws InvalidState while another call is under way.
  Co<> close();
  bool is_closed() const noexcept { return descriptor() < 0; }

 private:
  std::unique_ptr<State> state_;
};

/// Opens a file in one of Python's modes: "r" to read, "w" to write anew, "a" to append, "x" to make one that
/// must not exist yet, each with a "+" for both; "b" and "t" say nothing. A new file has mode 0666 less the
/// umask. It is closed on exec.
///
/// Throws std::filesystem::filesystem_error, also for a directory, and std::invalid_argument for another
/// mode. A cancel leaves no descriptor open, though a file may have been made.
Co<File> open_file(std::filesystem::path path, std::string mode = "r");

/// The whole content of a file.
Co<std::string> read_file(std::filesystem::path path);

/// Makes `bytes` the whole content of a file. Cancelled or failed, it may be partly written; who needs all or
/// nothing writes another and fs::rename's it.
Co<> write_file(std::filesystem::path path, std::string bytes);

}  // namespace gather::async
