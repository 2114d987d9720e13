/// RequestOp: waiting for one libuv request, whose memory outlives a cancelled wait. Knows no libuv type.
#pragma once

#include "core/async/task/op.hpp"

namespace gather::async {

class RequestOp;

/// The part of a request block that knows who waits for it; see RequestBlock in handle.hpp.
class PendingRequest {
 public:
  PendingRequest(const PendingRequest&) = delete;
  PendingRequest& operator=(const PendingRequest&) = delete;

  /// libuv has taken the request: from now on a cancel of the op has something to let go of.
  void attach() noexcept;

 protected:
  explicit PendingRequest(RequestOp& op) noexcept : op_(&op) {}
  ~PendingRequest() = default;

  void finished(int status) noexcept;

 private:
  friend class RequestOp;
  RequestOp* op_;  // Null once the wait was cancelled.
};

/// Parks a task until a request is done. A cancel lets go of the request at once and leaves it to libuv,
/// whose callback frees it; what it was about to do may still happen until the handle is closed.
class RequestOp : public Op {
 public:
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) submit();
  }

 protected:
  RequestOp() = default;
  ~RequestOp() = default;

  /// Starts the request by start_request, or ends the wait with ended(error).
  virtual void submit() = 0;

  /// The request is done, or could not be started.
  void ended(int status) noexcept;

  /// libuv's error, or 0; valid after leave().
  int status() const noexcept { return status_; }

 private:
  friend class PendingRequest;
  Abort abort() noexcept final;

  PendingRequest* request_ = nullptr;
  int status_ = 0;
};

inline void PendingRequest::attach() noexcept { op_->request_ = this; }

inline void PendingRequest::finished(int status) noexcept {
  if (op_ != nullptr) op_->ended(status);
}

inline void RequestOp::ended(int status) noexcept {
  request_ = nullptr;
  status_ = status;
  complete();
}

inline Op::Abort RequestOp::abort() noexcept {
  request_->op_ = nullptr;
  request_ = nullptr;
  return Abort::detached;
}

}  // namespace gather::async
