/// One request and its answer on one connection, as something to await; the body goes to a sink. Follows no
/// redirects. Only files of core/net include this.
#pragma once

#include "core/async/task/op.hpp"
#include "core/net/http_transfer.hpp"

#include <exception>
#include <string>
#include <string_view>

namespace gather::net {

/// Resumes the caller when the answer is whole, or can't become so. Cancelling the caller ends the transfer
/// at once and closes its connection.
class Exchange final : public async::Op, private HttpTransfer {
 public:
  struct Ending {
    std::expected<Answer, Failure> answer;
    std::string location;  ///< Where a redirect leads, absolute; empty if nowhere.
  };

  /// `request` and `sink` must outlive it. Throws gather::Error, std::bad_alloc.
  Exchange(Multi& multi, const TrustSource& trust, const Request& request, const Patience& patience,
           BodySink& sink)
      : HttpTransfer(multi, trust, request, patience), request_(request), sink_(sink) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) start();
  }
  Ending await_resume();

 private:
  Piece on_piece(std::string_view piece) noexcept override;
  void on_finished() noexcept override { complete(); }
  Abort abort() noexcept override;

  const Request& request_;
  BodySink& sink_;
  std::exception_ptr thrown_;  // By the sink; thrown on in await_resume.
};

}  // namespace gather::net
