#include "core/run/backlog.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/process/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gather::run {
namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;

[[noreturn]] void refuse(std::string_view what, int error) {
  throw Error(ExitStatus::task_failed,
              fmt::format("output that waits for its turn can't be {} {}: {}; TMPDIR names another place",
                          what, in_quotes(process::spool_folder()), system_error_text(error)));
}

}  // namespace

/// A stretch of the file.
class Backlog::Kept final : public Output {
 public:
  Kept(std::shared_ptr<File> file, std::uint64_t offset, std::uint64_t length)
      : file_(std::move(file)), offset_(offset), length_(length) {
    ++file_->waiting;
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() override {
    // Best effort: without holes the file keeps its size until nothing waits.
    fallocate(file_->descriptor.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
              static_cast<off_t>(offset_), static_cast<off_t>(length_));
    --file_->waiting;
  }

  std::uint64_t size() const override { return length_; }

  void read(const Sink& sink) const override {
    std::array<char, piece_size> piece;
    for (std::uint64_t done = 0; done < length_;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), length_ - done));
      const ssize_t length =
          pread(file_->descriptor.get(), piece.data(), wanted, static_cast<off_t>(offset_ + done));
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) refuse("read back from", length < 0 ? errno : EIO);
      done += static_cast<std::uint64_t>(length);
      sink({piece.data(), static_cast<std::size_t>(length)});
    }
  }

 private:
  std::shared_ptr<File> file_;
  std::uint64_t offset_;
  std::uint64_t length_;
};

std::shared_ptr<const Output> Backlog::keep(const Output& output) {
  if (!file_) {
    process::Descriptor descriptor = process::open_nameless_file();
    if (!descriptor) refuse("kept in", errno);
    file_ = std::make_shared<File>(std::move(descriptor));
  }
  if (file_->waiting == 0 && end_ > 0 && ftruncate(file_->descriptor.get(), 0) == 0) end_ = 0;
  const std::uint64_t begin = end_;
  output.read([&](std::string_view piece) {
    while (!piece.empty()) {
      const ssize_t written =
          pwrite(file_->descriptor.get(), piece.data(), piece.size(), static_cast<off_t>(end_));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) refuse("kept in", errno);
      end_ += static_cast<std::uint64_t>(written);
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
  });
  return std::make_shared<const Kept>(file_, begin, end_ - begin);
}

AttemptOutput Backlog::keep(const AttemptOutput& output) {
  AttemptOutput kept{output.attempt, nullptr, nullptr};
  if (output.out) kept.out = keep(*output.out);
  if (output.err) kept.err = keep(*output.err);
  return kept;
}

}  // namespace gather::run
