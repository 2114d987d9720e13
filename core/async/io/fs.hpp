/// Files and directories by name, without holding up the loop: aiofiles.os and aiofiles.tempfile.
///
/// All run on the loop's default pool; a cancelled caller is told when the call has ended, if it was begun.
/// They throw std::filesystem::filesystem_error, with the path and errno as its code(), and what default_pool
/// throws. Where nothing else is said, symbolic links are followed.
#pragma once

#include "core/async/io/files.hpp"
#include "core/async/task/co.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace gather::async::fs {

/// What the kernel says of a file: os.stat_result.
struct Status {
  using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

  std::filesystem::file_type type;
  std::filesystem::perms mode;
  std::uint64_t size;  ///< In bytes.
  Time modified;
  Time accessed;
  Time changed;  ///< Of the inode.
  std::uint64_t inode;
  std::uint64_t device;
  std::uint64_t links;
  std::uint32_t owner;  ///< Numbers of the user and the group.
  std::uint32_t group;
};

Co<Status> stat(std::filesystem::path path);
/// Of a symbolic link itself.
Co<Status> lstat(std::filesystem::path path);
/// False also for a link that leads nowhere, or if what leads to it can't be searched.
Co<bool> exists(std::filesystem::path path);

/// Takes the place of what is called `to`, at once: os.replace. Both are on one file system.
Co<> rename(std::filesystem::path from, std::filesystem::path to);
/// A file or a link; not a directory.
Co<> remove(std::filesystem::path path);
/// A directory with all that is in it, or a file; gives how many it were, 0 if there was none.
Co<std::uint64_t> remove_all(std::filesystem::path path);

/// Throws if it exists.
Co<> mkdir(std::filesystem::path path, std::filesystem::perms mode = std::filesystem::perms::all);
/// With all that lead to it; fine if it exists (Python's exist_ok).
Co<> makedirs(std::filesystem::path path);
/// An empty directory.
Co<> rmdir(std::filesystem::path path);

struct DirEntry {
  std::string name;
  std::filesystem::file_type type;  ///< Of a link, `symlink`.
};
/// What is in a directory, but "." and "..", in no order.
Co<std::vector<DirEntry>> scandir(std::filesystem::path path);
Co<std::vector<std::string>> listdir(std::filesystem::path path);

/// Makes `link` lead to `target`.
Co<> symlink(std::filesystem::path target, std::filesystem::path link);
Co<std::filesystem::path> readlink(std::filesystem::path path);
Co<> chmod(std::filesystem::path path, std::filesystem::perms mode);
/// Content and permissions; writes over `to` if it exists. Not cut short by a cancel.
Co<> copy_file(std::filesystem::path from, std::filesystem::path to);

/// A file for reading and writing that has no name, and is gone when it is closed.
Co<File> temporary_file(std::filesystem::path directory = std::filesystem::temp_directory_path());

/// A directory of one's own, for nobody else to read, removed with all that is in it.
class TemporaryDirectory {
 public:
  /// Takes over a directory.
  explicit TemporaryDirectory(std::filesystem::path path) noexcept : path_(std::move(path)) {}
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  /// Removes it, on this thread, as far as it can.
  ~TemporaryDirectory();

  /// Empty once removed.
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Removes it, and says if that fails.
  Co<> remove();

 private:
  std::filesystem::path path_;
};

/// `parent`/`prefix` and six letters that make it new.
Co<TemporaryDirectory> temporary_directory(
    std::string prefix = "gather-", std::filesystem::path parent = std::filesystem::temp_directory_path());

}  // namespace gather::async::fs
