#include "core/net/part_file.hpp"

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>

namespace gather::net {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view part_suffix = ".part";
constexpr std::string_view note_suffix = ".part.meta";
constexpr std::size_t longest_name = 255;  // NAME_MAX of every file system that matters here.
// From here on the note is on the disk, so that a killed run can be gone on from. Less is fetched again
// sooner than a note for every small file is written.
constexpr std::uint64_t noted_from = 1024UL * 1024;
constexpr std::uint64_t gathered_above = 1024UL * 1024;

std::string show(const fs::path& path) { return inert(path.native()); }

std::string cannot(std::string_view what, const fs::path& path, int error) {
  return fmt::format("can't {} {}: {}", what, show(path), system_error_text(error));
}

std::optional<std::string> fault_in_final(const fs::path& path) {
  if (path.filename().empty()) return fmt::format("{} names a folder, not a file", show(path));
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ELOOP) return std::nullopt;  // Also a link to nowhere.
    if (errno == ENOTDIR || errno == ENAMETOOLONG) return cannot("write", path, errno);
    return std::nullopt;  // Creating the part will say it better.
  }
  if (S_ISDIR(found.st_mode)) return fmt::format("can't write {}: it is a folder", show(path));
  if (!S_ISREG(found.st_mode)) return fmt::format("can't write {}: it is no plain file", show(path));
  return std::nullopt;
}

std::optional<std::string> fault_in_part(const fs::path& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode) || found.st_nlink > 1)
    return fmt::format("can't write {}: it is no plain file; remove it", show(path));
  if (found.st_uid != geteuid())
    return fmt::format("can't write {}: it belongs to another user; remove it", show(path));
  return std::nullopt;
}

int open_part(const std::string& path, int flags) {
  // O_NONBLOCK: a FIFO that somebody put there must not hang us.
  return open(path.c_str(), flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
}

/// Whether the file system of `descriptor`, on `device`, may tell only at a close that there was no space, as
/// those of the network do. Local ones tell at the write, and their close does nothing.
bool tells_at_close(int descriptor, dev_t device) {
  thread_local dev_t known = 0;  // No device.
  thread_local bool answer = true;
  if (device == known) return answer;
  struct statfs found{};
  if (fstatfs(descriptor, &found) != 0) return true;
  constexpr std::array<unsigned long, 4> local{EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
                                               TMPFS_MAGIC};
  known = device;
  answer = std::ranges::find(local, static_cast<unsigned long>(found.f_type)) == local.end();
  return answer;
}

/// False, with errno, if it can't be done, or something is there and it may not be replaced.
bool rename_to(const std::string& from, const std::string& to, bool replace) {
  if (replace) return rename(from.c_str(), to.c_str()) == 0;
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // Some file systems know no such rename. A second name comes into being only where there is none, too.
  return link(from.c_str(), to.c_str()) == 0 && unlink(from.c_str()) == 0;
}

std::string beside(std::string_view final_path, std::string_view suffix) {
  const std::size_t folder = final_path.rfind('/') + 1;  // Its length, or 0.
  const std::string_view name = final_path.substr(folder);
  if (name.size() + suffix.size() <= longest_name) return std::string(final_path).append(suffix);
  const std::string ending = fmt::format(".{:016x}{}", stable_hash(name), suffix);
  return std::string(final_path.substr(0, folder))
      .append(name.substr(0, longest_name - ending.size()))
      .append(ending);
}

}  // namespace

std::string part_of(std::string_view final_path) { return beside(final_path, part_suffix); }
fs::path note_path_of(const fs::path& final_path) { return beside(final_path.native(), note_suffix); }

std::expected<PartFile, std::string> PartFile::create(const fs::path& final_path, Before before) {
  if (before == Before::unknown)
    if (auto fault = fault_in_final(final_path)) return std::unexpected(std::move(*fault));
  const std::string part_path = beside(final_path.native(), part_suffix);
  bool folders_made = false;
  while (true) {
    // As a rule there is none, and one that was just made needs no further look.
    int descriptor = open_part(part_path, O_CREAT | O_EXCL);
    const bool is_new = descriptor >= 0;
    if (descriptor < 0 && errno == ENOENT && !std::exchange(folders_made, true)) {
      std::error_code error;
      const fs::path folder = final_path.parent_path();
      fs::create_directories(folder, error);
      if (error) return std::unexpected(cannot("make the folder", folder, error.value()));
      continue;
    }
    if (descriptor < 0 && errno == EEXIST) {
      descriptor = open_part(part_path, 0);
      if (descriptor < 0 && errno == ENOENT) continue;
    }
    if (descriptor < 0 && errno == ELOOP)
      return std::unexpected(fmt::format(
          "can't write {}: it is a symbolic link, and is not followed; remove it", show(part_path)));
    if (descriptor < 0) return std::unexpected(cannot("create", part_path, errno));
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      close(descriptor);
      if (error != EWOULDBLOCK) return std::unexpected(cannot("lock", part_path, error));
      return std::unexpected(fmt::format("a download of {} is in progress already", show(final_path)));
    }
    struct stat opened{};
    fstat(descriptor, &opened);  // Can't fail on a descriptor that was just opened.
    const Identity identity{opened.st_dev, opened.st_ino};
    PartFile part(final_path.native(), part_path, descriptor, identity);
    if (is_new && opened.st_nlink != 0) return part;
    if (is_new || identity_of(part_path) != identity) {
      part.forget();
      continue;  // Who held the lock before us has published or removed it since our open.
    }
    if (auto fault = fault_in_part(part_path, opened)) {
      part.forget();
      return std::unexpected(std::move(*fault));
    }
    // An empty one may be new, and not locked yet by who made it. It is removed, which he sees, and never
    // taken over: so nobody can have published what somebody else has just made.
    if (opened.st_size == 0) continue;
    part.note_ = read_note(note_path_of(final_path));
    part.note_on_disk_ = true;  // Good or not, it must go.
    part.size_ = static_cast<std::uint64_t>(lseek(descriptor, 0, SEEK_END));
    if (!part.note_)
      if (auto emptied = part.start_over(); !emptied) return std::unexpected(std::move(emptied.error()));
    return part;
  }
}

std::optional<PartFile::Identity> PartFile::identity_of(const std::string& path) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) return std::nullopt;
  return Identity{found.st_dev, found.st_ino};
}

PartFile::PartFile(std::string final_path, std::string part_path, int descriptor, Identity identity) noexcept
    : final_path_(std::move(final_path)),
      part_path_(std::move(part_path)),
      descriptor_(descriptor),
      identity_(identity) {}

PartFile::PartFile(PartFile&& other) noexcept
    : final_path_(std::move(other.final_path_)),
      part_path_(std::move(other.part_path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      identity_(other.identity_),
      size_(other.size_),
      gathered_(std::exchange(other.gathered_, {})),
      note_(std::move(other.note_)),
      note_on_disk_(other.note_on_disk_) {}

PartFile::~PartFile() {
  if (descriptor_ < 0) return;
  if (note_) static_cast<void>(flush());  // If that fails, there is no note any more.
  if (in_place()) {                       // Nothing that we did not make is removed.
    if (note_ && size_ != 0) put_note_down();
    if (!note_ || size_ == 0 || !note_on_disk_) {
      remove_note();
      unlink(part_path_.c_str());
    }
  }
  close(descriptor_);
}

void PartFile::forget() noexcept { close(std::exchange(descriptor_, -1)); }

void PartFile::keep(PartNote note) {
  if (note_ != note) remove_note();
  note_ = std::move(note);
}

void PartFile::put_note_down() {
  if (note_on_disk_) return;
  // Best effort: without it, the part is fetched from the beginning next time.
  note_on_disk_ = write_note(note_path_of(final_path_), *note_);
}

void PartFile::remove_note() noexcept {
  if (std::exchange(note_on_disk_, false)) unlink(note_path_of(final_path_).c_str());
}

std::expected<void, std::string> PartFile::start_over() {
  note_.reset();
  remove_note();  // First: at no moment must it speak of bytes of another version.
  gathered_.clear();
  if (size_ == 0) return {};
  if (ftruncate(descriptor_, 0) != 0) return std::unexpected(cannot("empty", part_path_, errno));
  lseek(descriptor_, 0, SEEK_SET);
  size_ = 0;
  return {};
}

std::expected<void, std::string> PartFile::write(std::string_view piece) {
  const bool is_large = size_ >= gathered_above;
  if (!is_large || (gathered_.empty() && (piece.size() < gathered_from || piece.size() >= most_gathered)))
    return put(piece);
  if (gathered_.size() + piece.size() > most_gathered)
    if (auto flushed = flush(); !flushed) return flushed;
  gathered_.reserve(most_gathered);
  gathered_ += piece;
  if (piece.size() < gathered_from || gathered_.size() >= most_gathered) return flush();
  return {};
}

std::expected<void, std::string> PartFile::flush() {
  if (gathered_.empty()) return {};
  auto written = put(gathered_);
  gathered_.clear();
  return written;
}

std::expected<void, std::string> PartFile::put(std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t written = ::write(descriptor_, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      give_up();  // What a failing disk holds is nothing to go on from, and a full one wants its space back.
      return std::unexpected(cannot("write", part_path_, error));
    }
    piece.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
  if (note_ && size_ >= noted_from) put_note_down();
  return {};
}

std::expected<void, std::string> PartFile::publish() { return take_name(final_path_, true); }

std::expected<void, std::string> PartFile::publish_as(const fs::path& path, bool replace) {
  if (auto fault = fault_in_final(path)) return std::unexpected(std::move(*fault));
  return take_name(path.native(), replace);
}

std::expected<void, std::string> PartFile::take_name(const std::string& path, bool replace) {
  if (auto flushed = flush(); !flushed) return flushed;
  // Some file systems tell only at a close that there was no space. The lock must last until the file has its
  // name, so it is a twin that is closed.
  if (tells_at_close(descriptor_, identity_.device)) {
    const int twin = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    if (twin < 0 || close(twin) != 0) return std::unexpected(cannot("write", part_path_, errno));
  }
  if (!in_place())
    return std::unexpected(fmt::format("{} was removed or replaced while it was written", show(part_path_)));
  remove_note();  // First, or a kill in between would leave it for ever.
  if (!rename_to(part_path_, path, replace)) return std::unexpected(cannot("write", path, errno));
  forget();
  return {};
}

}  // namespace gather::net
