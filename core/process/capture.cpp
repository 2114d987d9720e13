#include "core/process/capture.hpp"

#include "core/base/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gather::process {
namespace {

constexpr std::size_t pipe_size = std::size_t{64} * 1024;  // Linux's, unless somebody enlarges it.
constexpr int streaming_pipe_size = 4 * 64 * 1024;
constexpr int most_reads = 4;  // In one pass.

}  // namespace

std::expected<Descriptor, async::StartError> Capture::open(PipeStock& pipes) {
  auto pipe = pipes.take();
  if (!pipe) return std::unexpected(async::explain_descriptors(pipe.error()));
  pipe_ = std::move(pipe->reading);
  if (listener_ != nullptr)
    fcntl(pipe_.get(), F_SETPIPE_SZ, streaming_pipe_size);  // Fewer turns for the same bytes.
  return std::move(pipe->writing);
}

Capture::Took Capture::take() {
  std::array<char, pipe_size> piece;  // On the stack, so that a capture at rest costs no memory.
  const ssize_t length = read(pipe_.get(), piece.data(), piece.size());
  if (length > 0) {
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(length));
    spool_.append(bytes);
    if (listener_ != nullptr) listener_->wrote(bytes);
    return bytes.size() == piece.size() ? Took::full : Took::some;
  }
  return length < 0 && (errno == EAGAIN || errno == EINTR) ? Took::nothing : Took::end;
}

void Capture::start(async::Loop& loop) noexcept {
  loop_ = &loop;
  try {
    FdWatch::start(loop, pipe_.get(), async::Events::readable);
  } catch (const Error&) {
    drain_and_close();
  }
}

bool Capture::read_to_end() {
  for (int read = 0; read < most_reads && may_take(); ++read) {  // Others may write for ever.
    const Took took = take();
    if (took == Took::end) close();
    if (took == Took::end || took == Took::nothing) break;
  }
  return ended();
}

void Capture::on_events(async::Events) noexcept {
  if (!may_take()) {
    stop();
    held_ = true;
    valve_->hold(*this);
    return;
  }
  // One read: level-triggered watching reports the rest again, and the end, without a read that fails.
  for (int read = 0; read < most_reads; ++read) {
    const Took took = take();
    if (took == Took::end) return end();
    if (took != Took::full || listener_ == nullptr || !may_take()) return;
  }
}

void Capture::go_on() noexcept {
  held_ = false;
  start(*loop_);
  if (bell_ != nullptr) bell_->ring();
}

void Capture::end() noexcept {
  close();
  if (bell_ != nullptr) bell_->ring();
}

void Capture::drain_and_close() {
  // What was written before now fits into the pipe; a writer that we can't stop could go on for ever.
  constexpr int most_pieces = 16;  // 1 MB, the most that an unprivileged child can enlarge a pipe to.
  for (int piece = 0; pipe_ && piece < most_pieces; ++piece) {
    const Took took = take();
    if (took != Took::some && took != Took::full) break;
  }
  close();
}

void Capture::close() noexcept {
  stop();
  if (std::exchange(held_, false)) valve_->forget(*this);
  pipe_.reset();
}

}  // namespace gather::process
