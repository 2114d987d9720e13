#include "core/run/overflow.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/process/spool.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gather::run {
namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;

[[noreturn]] void refuse(std::string_view what, int error) {
  throw Error(
      ExitStatus::task_failed,
      fmt::format("output that a slow reader has not taken can't be {} {}: {}; TMPDIR names another place",
                  what, in_quotes(process::spool_folder()), system_error_text(error)));
}

}  // namespace

void Overflow::append(std::string_view bytes) {
  if (filed_ == 0 && memory_.size() - taken_ + bytes.size() <= most_in_memory_) {
    memory_.erase(0, taken_);
    taken_ = 0;
    memory_ += bytes;
    return;
  }
  if (!file_) file_ = process::open_nameless_file();
  if (!file_) refuse("kept in", errno);
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(read_ + filed_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) refuse("kept in", errno);
    filed_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string_view Overflow::front() {
  if (taken_ == memory_.size() && filed_ > 0) {
    memory_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece_size, filed_)));
    taken_ = 0;
    ssize_t length = 0;
    do length = pread(file_.get(), memory_.data(), memory_.size(), static_cast<off_t>(read_));
    while (length < 0 && errno == EINTR);
    if (length <= 0) refuse("read back from", length < 0 ? errno : EIO);
    memory_.resize(static_cast<std::size_t>(length));
    read_ += static_cast<std::uint64_t>(length);
    filed_ -= static_cast<std::uint64_t>(length);
    // What has been read goes back to the disk with the last of it.
    if (filed_ == 0 && ftruncate(file_.get(), 0) == 0) read_ = 0;
  }
  return std::string_view(memory_).substr(taken_);
}

void Overflow::drop(std::size_t count) { taken_ += count; }

}  // namespace gather::run
