#include "core/async/io/outbox.hpp"

#include "core/async/loop/handle.hpp"

#include <algorithm>
#include <cassert>
#include <memory>
#include <new>
#include <utility>

namespace gather::async {
namespace {

// Copied to learn when the kernel has room again. Large, and a drain may come late by that much; small, and
// sending is woken more often.
constexpr std::size_t chunk_size = 64 * 1024;

uv_buf_t buffer_for(std::string_view bytes) noexcept {
  return buffer_of(const_cast<char*>(bytes.data()), bytes.size());
}

}  // namespace

// Bytes of its own.
class Outbox::Copied final : public Outgoing {
 public:
  Copied(Outbox& box, std::string_view bytes) : Outgoing({}), box_(box), bytes_(bytes) {
    rest_ = bytes_;
    counted_ = true;
  }

  void append(std::string_view bytes) {
    const std::size_t taken = bytes_.size() - rest_.size();
    if (taken > bytes_.size() / 2) {  // Moves each byte once at most, on the average.
      bytes_.erase(0, taken);
      rest_ = bytes_;
    }
    const std::size_t at = bytes_.size() - rest_.size();
    bytes_ += bytes;
    rest_ = std::string_view(bytes_).substr(at);
  }

 private:
  void gone(int) noexcept override {
    box_.size_ -= rest_.size();  // Not 0 after an error.
    if (box_.open_ == this) box_.open_ = nullptr;
    delete this;
  }

  Outbox& box_;
  std::string bytes_;
};

void Outbox::offer(std::string_view& bytes) noexcept {
  const uv_buf_t buffer = buffer_for(bytes);
  const int written = uv_try_write(&stream_, &buffer, 1);
  if (written >= 0)
    bytes.remove_prefix(static_cast<std::size_t>(written));
  else if (written != UV_EAGAIN)
    drop(written);
}

void Outbox::add(std::string_view bytes) {
  assert(error_ == 0);
  if (open_ != nullptr) {
    open_->append(bytes);
  } else {
    auto piece = std::make_unique<Copied>(*this, bytes);
    open_ = piece.get();
    append(*piece.release());
  }
  size_ += bytes.size();
  over_ = over_ || size_ > high_;
  if (!busy_) start_request();
}

void Outbox::add(Outgoing& piece) noexcept {
  assert(error_ == 0);
  open_ = nullptr;
  append(piece);
  if (!busy_) start_request();
}

void Outbox::remove(Outgoing& piece) noexcept {
  if (chunk_of_ == &piece) chunk_of_ = nullptr;
  unlink(piece);
}

void Outbox::drop(int error) noexcept {
  if (error_ == 0) error_ = error;
  chunk_of_ = nullptr;
  while (first_ != nullptr) {
    Outgoing& piece = *first_;
    unlink(piece);
    piece.gone(error);
  }
  over_ = false;
  drainers_.complete_all();
  emptied();
}

void Outbox::set_limits(std::size_t high, std::size_t low) noexcept {
  assert(high >= low);
  high_ = high;
  low_ = low;
  over_ = over_ || size_ > high_;
  settle();
}

// Requires: libuv has nothing of ours.
void Outbox::pump() noexcept {
  while (first_ != nullptr && error_ == 0) {
    Outgoing& piece = *first_;
    std::string_view rest = piece.rest_;
    offer(rest);
    if (error_ != 0) return;  // It has dropped everything.
    advance(piece, piece.rest_.size() - rest.size());
    if (!rest.empty()) {
      start_request();
      return;
    }
  }
}

void Outbox::start_request() noexcept {
  Outgoing& piece = *first_;
  try {
    chunk_.assign(piece.rest_.substr(0, chunk_size));
  } catch (const std::bad_alloc&) {
    drop(UV_ENOMEM);
    return;
  }
  const uv_buf_t buffer = buffer_for(chunk_);
  if (const int error = uv_write(&request_, &stream_, &buffer, 1, &sent); error != 0) {
    drop(error);
    return;
  }
  busy_ = true;
  chunk_of_ = &piece;
}

void Outbox::sent(uv_write_t* request, int status) noexcept {
  auto& self = *static_cast<Outbox*>(request->data);
  self.busy_ = false;
  Outgoing* const piece = std::exchange(self.chunk_of_, nullptr);
  const std::size_t count = std::exchange(self.chunk_, {}).size();
  if (status != 0) {
    self.drop(status);
    return;
  }
  if (piece != nullptr) self.advance(*piece, count);
  self.pump();
  self.settle();
  if (self.idle() && self.error_ == 0) self.emptied();
}

void Outbox::advance(Outgoing& piece, std::size_t count) noexcept {
  piece.rest_.remove_prefix(count);
  if (piece.counted_) size_ -= count;
  if (!piece.rest_.empty()) return;
  unlink(piece);
  piece.gone(0);
}

void Outbox::unlink(Outgoing& piece) noexcept {
  (piece.previous_ != nullptr ? piece.previous_->next_ : first_) = piece.next_;
  (piece.next_ != nullptr ? piece.next_->previous_ : last_) = piece.previous_;
  piece.previous_ = piece.next_ = nullptr;
}

void Outbox::append(Outgoing& piece) noexcept {
  piece.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &piece;
  last_ = &piece;
}

void Outbox::settle() noexcept {
  if (!over_ || size_ > low_) return;
  over_ = false;
  drainers_.complete_all();
}

}  // namespace gather::async
