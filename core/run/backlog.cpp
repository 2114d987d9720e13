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
#include <string>

namespace gather::run {
namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;
constexpr std::uint64_t largest_in_memory =
    std::uint64_t{64} * 1024;  // A copy of more costs as much as the file does.

[[noreturn]] void refuse(std::string_view what, int error) {
  throw Error(ExitStatus::task_failed,
              fmt::format("output that waits for its turn can't be {} {}: {}; TMPDIR names another place",
                          what, in_quotes(process::spool_folder()), system_error_text(error)));
}

}  // namespace

class Backlog::InMemory final : public Output {
 public:
  InMemory(const Output& output, std::shared_ptr<Count> bytes) : bytes_(std::move(bytes)) {
    text_.reserve(output.size());
    output.read([this](std::string_view piece) { text_ += piece; });
    *bytes_ += text_.size();
  }
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;
  ~InMemory() override { *bytes_ -= text_.size(); }

  std::uint64_t size() const override { return text_.size(); }
  void read(const Sink& sink) const override { sink(text_); }

 private:
  std::shared_ptr<Count> bytes_;
  std::string text_;
};

/// One that is in memory already.
class Backlog::Held final : public Output {
 public:
  Held(std::shared_ptr<const Output> output, std::size_t memory, std::shared_ptr<Count> bytes)
      : bytes_(std::move(bytes)), memory_(memory), output_(std::move(output)) {
    *bytes_ += memory_;
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() override { *bytes_ -= memory_; }

  std::uint64_t size() const override { return output_->size(); }
  void read(const Sink& sink) const override { output_->read(sink); }

 private:
  std::shared_ptr<Count> bytes_;
  std::size_t memory_;
  std::shared_ptr<const Output> output_;
};

/// A stretch of the file.
class Backlog::InFile final : public Output {
 public:
  InFile(std::shared_ptr<File> file, std::uint64_t offset, std::uint64_t length)
      : file_(std::move(file)), offset_(offset), length_(length) {
    ++file_->waiting;
  }
  InFile(const InFile&) = delete;
  InFile& operator=(const InFile&) = delete;
  ~InFile() override {
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

bool Backlog::has_room_for(std::uint64_t bytes) const {
  return bytes <= largest_in_memory && *in_memory_ + bytes <= most_in_memory_;
}

std::shared_ptr<const Output> Backlog::keep(const std::shared_ptr<const Output>& output) {
  if (const auto memory = output->memory(); memory && has_room_for(*memory))
    return std::make_shared<const Held>(output, *memory, in_memory_);
  if (has_room_for(output->size())) return std::make_shared<const InMemory>(*output, in_memory_);
  return keep_in_file(*output);
}

std::shared_ptr<const Output> Backlog::keep_in_file(const Output& output) {
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
  return std::make_shared<const InFile>(file_, begin, end_ - begin);
}

AttemptOutput Backlog::keep(const AttemptOutput& output) {
  AttemptOutput kept{output.attempt, nullptr, nullptr};
  if (output.out) kept.out = keep(output.out);
  if (output.err) kept.err = keep(output.err);
  return kept;
}

}  // namespace gather::run
