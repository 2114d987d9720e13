#include "core/net/existing.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace gather::net {
namespace {

constexpr const char* attribute = "user.gather.version";

/// What changes when the file does.
std::string state_line(const struct stat& file) {
  return fmt::format("file {} {}.{:09}\n", file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec);
}

std::optional<PartNote> version_of(int descriptor, const struct stat& file) {
  std::array<char, 8192> buffer;
  const ssize_t size = fgetxattr(descriptor, attribute, buffer.data(), buffer.size());
  if (size <= 0) return std::nullopt;
  std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  const std::string state = state_line(file);
  if (!text.starts_with(state)) return std::nullopt;
  return parse_note(text.substr(state.size()));
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
  const std::string text = state_line(file) + to_text(version);
  (void)fsetxattr(descriptor, attribute, text.data(), text.size(), 0);
}

}  // namespace gather::net
