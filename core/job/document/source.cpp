#include "core/job/document/source.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gather::job {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

[[noreturn]] void refuse(std::string_view name, std::string_view why, std::string_view remedy) {
  throw Error(ExitStatus::usage, fmt::format("can't read {}: {}; {}", inert(name), why, remedy));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) ::close(fd_);  // Standard input stays open: it was not ours to begin with.
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string name_another(std::string_view what) {
  return fmt::format("name a {}, or - for standard input", what);
}

std::string read_all(const Descriptor& file, std::string_view name, std::string_view what) {
  constexpr std::size_t chunk = 1 << 18;
  std::string text;
  if (struct stat status{}; ::fstat(file.get(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) refuse(name, "it is a folder", name_another(what));
    if (S_ISREG(status.st_mode))
      text.reserve(std::min(static_cast<std::size_t>(status.st_size), largest_source) + chunk);
  }
  while (text.size() <= largest_source) {
    const std::size_t before = text.size();
    ssize_t count = 0;
    text.resize_and_overwrite(before + chunk,
                              [&](char* to, std::size_t) {  // Unlike resize, clears nothing first.
                                count = ::read(file.get(), to + before, chunk);
                                return before + static_cast<std::size_t>(std::max<ssize_t>(count, 0));
                              });
    if (count == 0) return text;
    if (count < 0 && errno != EINTR)
      refuse(name, system_error_text(errno), "check the file and its permissions");
  }
  refuse(name, "it is larger than 256 MB", fmt::format("split the {}", what));
}

Format format_of(const std::filesystem::path& file, std::string_view text) {
  const std::string extension = file.extension().string();
  if (extension == ".json") return Format::json;
  if (extension == ".yaml" || extension == ".yml") return Format::yaml;
  text = without_mark(text);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[') ? Format::json
                                                                                       : Format::yaml;
}

}  // namespace

Source read_source(const std::filesystem::path& file, std::string_view what) {
  Source source;
  if (file == "-") {
    source.name = "<stdin>";
    source.text = read_all(Descriptor(STDIN_FILENO), source.name, what);
  } else {
    source.name = file.string();
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (opened.get() < 0) refuse(source.name, system_error_text(errno), name_another(what));
    source.text = read_all(opened, source.name, what);
    if (file.has_parent_path()) source.directory = file.parent_path();
  }
  source.format = format_of(file, source.text);
  return source;
}

std::string_view body(const Source& source) { return without_mark(source.text); }

}  // namespace gather::job
