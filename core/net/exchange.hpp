/// One request and its answer on one connection, as something to await; the body goes to a sink. Follows no
/// redirects. Only files of core/net include this.
#pragma once

#include "core/async/task/op.hpp"
#include "core/net/http_transfer.hpp"
#include "core/net/throttle.hpp"

#include <exception>
#include <string>
#include <string_view>

namespace gather::net {

/// Resumes the caller when the answer is whole, or can't become so. Cancelling the caller ends the transfer
/// at once and closes its connection.
class Exchange final : public async::Op, private HttpTransfer, private Throttle::Taker {
 public:
  struct Ending {
    std::expected<Answer, Failure> answer;
    std::string location;  ///< Where a redirect leads, absolute; empty if nowhere.
    bool crowded = false;  ///< Nothing was sent; it is to be asked with HTTP/1.1.
  };

  /// `request`, `sink` and `throttle`, if it is not null, must outlive it. Throws gather::Error,
  /// std::bad_alloc.
  Exchange(Multi& multi, const TrustSource& trust, const Request& request, HttpVersion version,
           const Patience& patience, BodySink& sink, Throttle* throttle)
      : HttpTransfer(multi, trust, request, version, patience),
        request_(request),
        sink_(sink),
        throttle_(throttle) {}
  ~Exchange() {
    if (throttle_ != nullptr) throttle_->forget(*this);
  }

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) start();
  }
  Ending await_resume();

  using HttpTransfer::http_version;
  using HttpTransfer::phases;

 private:
  Piece on_piece(std::string_view piece) noexcept override;
  void on_finished() noexcept override { complete(); }
  void on_turn() noexcept override { resume(); }
  Abort abort() noexcept override;

  const Request& request_;
  BodySink& sink_;
  Throttle* throttle_;
  std::exception_ptr thrown_;  // By the sink; thrown on in await_resume.
};

}  // namespace gather::net
