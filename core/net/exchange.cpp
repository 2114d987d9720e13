#include "core/net/exchange.hpp"

#include <utility>

namespace gather::net {

HttpTransfer::Piece Exchange::on_piece(std::string_view piece) noexcept {
  try {
    if (throttle_ != nullptr) {
      if (!throttle_->allows(*this)) return Piece::paused;
      throttle_->spend(piece.size());
    }
    return sink_.take(head(), piece) ? Piece::taken : Piece::refused;
  } catch (...) {
    thrown_ = std::current_exception();
    return Piece::refused;
  }
}

async::Op::Abort Exchange::abort() noexcept {
  stop();
  return Abort::detached;
}

Exchange::Ending Exchange::await_resume() {
  leave();
  if (thrown_) std::rethrow_exception(thrown_);
  if (auto why = failure()) return {std::unexpected(std::move(*why)), "", crowded()};
  return {Answer{take_head(), request_.url, received()}, location()};
}

}  // namespace gather::net
