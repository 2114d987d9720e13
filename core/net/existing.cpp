#include "core/net/existing.hpp"

#include "core/base/hash.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace gather::net {
namespace {

constexpr const char* attribute = "user.gather.version";

/// What the attribute holds, as bytes in this machine's order; the validator stands behind it.
struct Version {
  std::uint64_t state;   // What changes when the file does.
  std::uint64_t source;  // stable_hash of the URL.
};
constexpr char format = '2';

std::uint64_t state_of(const struct stat& file) {
  const std::array<std::int64_t, 3> state{file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
  return stable_hash({reinterpret_cast<const char*>(state.data()), sizeof state});
}

std::optional<PartNote> version_of(int descriptor, const struct stat& file) {
  std::array<char, 4096> buffer;
  const ssize_t size = fgetxattr(descriptor, attribute, buffer.data(), buffer.size());
  Version version{};
  if (size <= static_cast<ssize_t>(1 + sizeof version) || buffer[0] != format) return std::nullopt;
  std::memcpy(&version, buffer.data() + 1, sizeof version);
  if (version.state != state_of(file)) return std::nullopt;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  return note_of(version.source, text.substr(1 + sizeof version));
}

}  // namespace

OwnDescriptor::OwnDescriptor(OwnDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

OwnDescriptor::~OwnDescriptor() {
  if (number_ >= 0) close(number_);
}

OwnDescriptor OwnDescriptor::twin_of(int descriptor) noexcept {
  return OwnDescriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
}

std::optional<Existing> existing_file(const std::filesystem::path& path) {
  OwnDescriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat found{};
  if (!file.valid() || fstat(file.number(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  auto version = version_of(file.number(), found);
  return Existing{std::move(file), static_cast<std::uint64_t>(found.st_size), std::move(version)};
}

bool same_content(OwnDescriptor a, OwnDescriptor b) {
  std::vector<char> of_a(64UL * 1024);
  std::vector<char> of_b(of_a.size());
  const auto fill = [](const OwnDescriptor& file, std::vector<char>& buffer, off_t offset) {
    std::size_t done = 0;
    while (done < buffer.size()) {
      const ssize_t count =
          pread(file.number(), buffer.data() + done, buffer.size() - done, offset + static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ssize_t{-1};
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(done);
  };
  for (off_t offset = 0;; offset += static_cast<off_t>(of_a.size())) {
    const ssize_t count = fill(a, of_a, offset);
    if (count < 0 || count != fill(b, of_b, offset) ||
        std::memcmp(of_a.data(), of_b.data(), static_cast<std::size_t>(count)) != 0)
      return false;
    if (static_cast<std::size_t>(count) < of_a.size()) return true;
  }
}

void stick_version(int descriptor, const PartNote& version) noexcept {
  struct stat file{};
  if (fstat(descriptor, &file) != 0) return;
  const Version held{state_of(file), version.source};
  std::string text(1, format);
  text.append(reinterpret_cast<const char*>(&held), sizeof held).append(version.validator());
  (void)fsetxattr(descriptor, attribute, text.data(), text.size(), 0);
}

}  // namespace gather::net
