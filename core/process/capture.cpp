#include "core/process/capture.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace gather::process {
namespace {

constexpr std::size_t pipe_size = std::size_t{64} * 1024;  // Linux's, unless somebody enlarges it.

}  // namespace

std::expected<Descriptor, async::StartError> Capture::open() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(async::explain_descriptors(errno));
  pipe_ = Descriptor(ends[0]);
  // Not on the child's end, where programs would trip over EAGAIN. And a read must not block even though it
  // follows an event: a child that opens /dev/stdout for reading can take the bytes away before us.
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Descriptor(ends[1]);
}

Capture::Took Capture::take() {
  std::array<char, pipe_size> piece;  // On the stack, so that a capture at rest costs no memory.
  const ssize_t length = read(pipe_.get(), piece.data(), piece.size());
  if (length > 0) {
    spool_.append({piece.data(), static_cast<std::size_t>(length)});
    return Took::bytes;
  }
  return length < 0 && (errno == EAGAIN || errno == EINTR) ? Took::nothing : Took::end;
}

void Capture::on_events(async::Events) noexcept {
  // One read: level-triggered watching reports the rest again, and the end, without a read that fails.
  if (take() != Took::end) return;
  close();
  if (bell_ != nullptr) bell_->ring();
}

void Capture::drain_and_close() {
  // What was written before now fits into the pipe; a writer that we can't stop could go on for ever.
  constexpr int most_pieces = 16;  // 1 MB, the most that an unprivileged child can enlarge a pipe to.
  for (int piece = 0; pipe_ && piece < most_pieces && take() == Took::bytes; ++piece) {
  }
  close();
}

void Capture::close() noexcept {
  stop();
  pipe_.reset();
}

}  // namespace gather::process
