#include "core/net/part_file.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
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

std::string show(const fs::path& path) { return inert(path.native()); }

std::string cannot(std::string_view what, const fs::path& path, int error) {
  return fmt::format("can't {} {}: {}", what, show(path), system_error_text(error));
}

/// FNV-1a: stable from run to run, unlike std::hash.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return value;
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

int open_part(const fs::path& path) {
  // O_NONBLOCK: a FIFO that somebody put there must not hang us.
  return open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
}

fs::path beside(const fs::path& final_path, std::string_view suffix) {
  const std::string name = final_path.filename().native();
  if (name.size() + suffix.size() <= longest_name) return final_path.native() + std::string(suffix);
  const std::string ending = fmt::format(".{:016x}{}", hash(name), suffix);
  return final_path.parent_path() / (name.substr(0, longest_name - ending.size()) + ending);
}

}  // namespace

fs::path part_of(const fs::path& final_path) { return beside(final_path, part_suffix); }
fs::path note_path_of(const fs::path& final_path) { return beside(final_path, note_suffix); }

std::expected<PartFile, std::string> PartFile::create(const fs::path& final_path) {
  if (auto fault = fault_in_final(final_path)) return std::unexpected(std::move(*fault));
  const fs::path part_path = part_of(final_path);
  while (true) {
    int descriptor = open_part(part_path);
    if (descriptor < 0 && errno == ENOENT) {
      std::error_code error;
      fs::create_directories(part_path.parent_path(), error);
      if (error) return std::unexpected(cannot("make the folder", part_path.parent_path(), error.value()));
      descriptor = open_part(part_path);
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
    if (identity_of(part_path) != identity) {
      close(descriptor);
      continue;  // Who held the lock before us has published or removed it since our open.
    }
    if (auto fault = fault_in_part(part_path, opened)) {
      close(descriptor);
      return std::unexpected(std::move(*fault));
    }
    PartFile part(final_path, part_path, descriptor, identity);
    if (opened.st_size != 0) {
      part.note_ = read_note(note_path_of(final_path));
      part.note_on_disk_ = true;  // Good or not, it must go.
      part.size_ = static_cast<std::uint64_t>(lseek(descriptor, 0, SEEK_END));
      if (!part.note_)
        if (auto emptied = part.start_over(); !emptied) return std::unexpected(std::move(emptied.error()));
    }
    return part;
  }
}

std::optional<PartFile::Identity> PartFile::identity_of(const fs::path& path) {
  struct stat found{};
  if (lstat(path.c_str(), &found) != 0) return std::nullopt;
  return Identity{found.st_dev, found.st_ino};
}

PartFile::PartFile(fs::path final_path, fs::path part_path, int descriptor, Identity identity) noexcept
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
      note_(std::move(other.note_)),
      note_on_disk_(other.note_on_disk_) {}

PartFile::~PartFile() {
  if (descriptor_ < 0) return;
  if (in_place()) {  // Nothing that we did not make is removed.
    if (note_ && size_ != 0) put_note_down();
    if (!note_ || size_ == 0 || !note_on_disk_) {
      remove_note();
      unlink(part_path_.c_str());
    }
  }
  close(descriptor_);
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
  if (size_ == 0) return {};
  if (ftruncate(descriptor_, 0) != 0) return std::unexpected(cannot("empty", part_path_, errno));
  lseek(descriptor_, 0, SEEK_SET);
  size_ = 0;
  return {};
}

std::expected<void, std::string> PartFile::write(std::string_view piece) {
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

std::expected<void, std::string> PartFile::publish() {
  // Some file systems tell only at a close that there was no space. The lock must last until the file has its
  // name, so it is a twin that is closed.
  const int twin = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
  if (twin < 0 || close(twin) != 0) return std::unexpected(cannot("write", part_path_, errno));
  if (!in_place())
    return std::unexpected(fmt::format("{} was removed or replaced while it was written", show(part_path_)));
  remove_note();  // First, or a kill in between would leave it for ever.
  if (rename(part_path_.c_str(), final_path_.c_str()) != 0)
    return std::unexpected(cannot("write", final_path_, errno));
  close(std::exchange(descriptor_, -1));
  return {};
}

}  // namespace gather::net
