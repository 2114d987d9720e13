#include "core/async/io/file_calls.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace gather::async::detail {
namespace {

std::filesystem::file_type type_of(mode_t mode) {
  using std::filesystem::file_type;
  switch (mode & S_IFMT) {
    case S_IFREG:
      return file_type::regular;
    case S_IFDIR:
      return file_type::directory;
    case S_IFLNK:
      return file_type::symlink;
    case S_IFBLK:
      return file_type::block;
    case S_IFCHR:
      return file_type::character;
    case S_IFIFO:
      return file_type::fifo;
    case S_IFSOCK:
      return file_type::socket;
    default:
      return file_type::unknown;
  }
}

fs::Status::Time time_of(const timespec& time) {
  return fs::Status::Time(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

// How much room to make for a read: a short file should not leave its reader with a long string.
std::size_t room_for(int descriptor, const std::string& bytes, std::size_t most,
                     std::optional<std::uint64_t> offset) {
  constexpr std::size_t usual = std::size_t{64} << 10;  // What a pipe holds.
  if (!offset || most <= 4096) return std::min(most, usual);
  struct stat answer{};
  if (fstat(descriptor, &answer) == 0 && S_ISREG(answer.st_mode)) {
    const auto size = static_cast<std::uint64_t>(answer.st_size);
    if (size > *offset) return std::min<std::uint64_t>(most, size - *offset + 1);
    if (const std::size_t spare = bytes.capacity() - bytes.size(); spare > 0) return std::min(most, spare);
  }
  return std::min(most, usual);
}

// A call that a signal has cut short before anything happened is begun again.
template <class Call>
auto repeat(Call call) {
  for (;;)
    if (const auto result = call(); result >= 0 || errno != EINTR) return result;
}

}  // namespace

void fail(const char* doing, const std::filesystem::path& path, int error) {
  throw std::filesystem::filesystem_error(doing, path, std::error_code(error, std::generic_category()));
}

Descriptor open_now(const std::filesystem::path& path, int flags) {
  Descriptor descriptor(repeat([&] { return open(path.c_str(), flags | O_CLOEXEC, 0666); }));
  if (!descriptor) fail("open", path, errno);
  struct stat answer{};
  if (fstat(descriptor.get(), &answer) != 0) fail("open", path, errno);
  if (S_ISDIR(answer.st_mode)) fail("open", path, EISDIR);
  return descriptor;
}

Descriptor open_nameless(const std::filesystem::path& directory) {
  Descriptor descriptor(
      repeat([&] { return open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); }));
  if (descriptor) return descriptor;
  if (errno != EOPNOTSUPP && errno != EISDIR) fail("temporary file", directory, errno);
  std::string name = directory / "gather-XXXXXX";  // The file system can't do without a name.
  descriptor = Descriptor(mkostemp(name.data(), O_CLOEXEC));
  if (!descriptor) fail("temporary file", directory, errno);
  unlink(name.c_str());
  return descriptor;
}

void close_now(Descriptor& descriptor, const std::filesystem::path& path) {
  // Whatever it says, Linux has closed it.
  if (close(descriptor.release()) != 0 && errno != EINTR) fail("close", path, errno);
}

std::size_t append_from(int descriptor, const std::filesystem::path& path, std::string& bytes,
                        std::size_t most, std::optional<std::uint64_t> offset) {
  most = room_for(descriptor, bytes, most, offset);
  const std::size_t before = bytes.size();
  ssize_t got = 0;
  int error = 0;
  bytes.resize_and_overwrite(before + most, [&](char* begin, std::size_t) {
    got = repeat([&] {
      return offset ? pread(descriptor, begin + before, most, static_cast<off_t>(*offset))
                    : read(descriptor, begin + before, most);
    });
    error = errno;
    return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  });
  if (got < 0) fail("read", path, error);
  return static_cast<std::size_t>(got);
}

void write_all(int descriptor, const std::filesystem::path& path, std::string_view bytes,
               std::uint64_t* offset) {
  while (!bytes.empty()) {
    const ssize_t put = repeat([&] {
      return offset != nullptr ? pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(*offset))
                               : write(descriptor, bytes.data(), bytes.size());
    });
    if (put < 0) fail("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    if (offset != nullptr) *offset += static_cast<std::uint64_t>(put);
  }
}

fs::Status status_of(const struct stat& answer) {
  return {.type = type_of(answer.st_mode),
          .mode = static_cast<std::filesystem::perms>(answer.st_mode & 07777),
          .size = static_cast<std::uint64_t>(answer.st_size),
          .modified = time_of(answer.st_mtim),
          .accessed = time_of(answer.st_atim),
          .changed = time_of(answer.st_ctim),
          .inode = answer.st_ino,
          .device = answer.st_dev,
          .links = answer.st_nlink,
          .owner = answer.st_uid,
          .group = answer.st_gid};
}

}  // namespace gather::async::detail
