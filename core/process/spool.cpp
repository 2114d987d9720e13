#include "core/process/spool.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gather::process {
namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;

/// A descriptor, or -1 with errno.
int open_nameless_file_in(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  // EISDIR and EOPNOTSUPP: an old kernel, and file systems that can't, such as overlays on some.
  if (descriptor >= 0 || (errno != EISDIR && errno != EOPNOTSUPP && errno != EINVAL)) return descriptor;
  std::string name = folder + "/gather-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

std::string spool_folder() {
  const char* const folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Descriptor open_nameless_file() { return Descriptor(open_nameless_file_in(spool_folder())); }

void Spool::append(std::string_view bytes) {
  if (failure_) return;
  if (beyond_ == Beyond::dropped) return keep_end(bytes);
  if (bytes.size() <= most_in_memory_ - tail_.size()) {
    tail_ += bytes;
    return;
  }
  // The tail leaves memory as a whole, so that a writer of short lines costs one write for many.
  tail_.erase(0, write_out(tail_));
  if (failure_) return;
  if (bytes.size() > most_in_memory_)
    write_out(bytes);
  else
    tail_ = bytes;
}

std::size_t Spool::write_out(std::string_view bytes) {
  if (!file_) file_ = open_nameless_file();
  std::size_t done = 0;
  while (file_ && done < bytes.size()) {
    const ssize_t written =
        pwrite(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(filed_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    filed_ += static_cast<std::uint64_t>(written);
    done += static_cast<std::size_t>(written);
  }
  if (!file_ || done < bytes.size())
    failure_ = fmt::format("can't keep the output in {}: {}; TMPDIR names another place",
                           in_quotes(spool_folder(), 200), system_error_text(errno));
  return done;
}

void Spool::keep_end(std::string_view bytes) {
  if (bytes.size() >= most_in_memory_) {
    tail_ = bytes.substr(bytes.size() - most_in_memory_);
    return;
  }
  tail_ += bytes;  // Cut seldom, so that many small pieces cost little.
  if (tail_.size() > 2 * most_in_memory_) tail_.erase(0, tail_.size() - most_in_memory_);
}

void Spool::read(const Sink& sink) const { read_from(0, sink); }

void Spool::read_end(std::uint64_t most, const Sink& sink) const {
  read_from(size() > most ? size() - most : 0, sink);
}

void Spool::read_from(std::uint64_t at, const Sink& sink) const {
  std::array<char, piece_size> piece;
  while (at < filed_) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), filed_ - at));
    const ssize_t length = pread(file_.get(), piece.data(), wanted, static_cast<off_t>(at));
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0)
      throw Error(ExitStatus::task_failed, fmt::format("can't read kept output back: {}",
                                                       length < 0 ? system_error_text(errno) : "it is gone"));
    at += static_cast<std::uint64_t>(length);
    sink({piece.data(), static_cast<std::size_t>(length)});
  }
  const std::string_view rest = std::string_view(tail_).substr(static_cast<std::size_t>(at - filed_));
  if (!rest.empty()) sink(rest);
}

}  // namespace gather::process
