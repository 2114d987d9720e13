#include "core/net/nameless_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace gather::net {

std::optional<NamelessFile> NamelessFile::make_in(int folder) noexcept {
  const int descriptor = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (descriptor < 0) return std::nullopt;
  return NamelessFile(descriptor);
}

int NamelessFile::write(std::string_view text) const noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

NamelessFile::Naming NamelessFile::name(int folder, const std::string& name) const noexcept {
  int error = linkat(descriptor(), "", folder, name.c_str(), AT_EMPTY_PATH) == 0 ? 0 : errno;
  if (error != 0 && error != EEXIST) {  // Linux before 6.10 wants a privilege for that.
    const std::string path = fmt::format("/proc/self/fd/{}", descriptor());
    error = linkat(AT_FDCWD, path.c_str(), folder, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
  }
  return error == 0 ? Naming::done : error == EEXIST ? Naming::taken : Naming::impossible;
}

}  // namespace gather::net
