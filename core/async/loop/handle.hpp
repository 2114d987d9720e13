/// The only owners of libuv's memory: handles that close themselves, and blocks for requests in flight.
#pragma once

#include "core/async/loop/request.hpp"

#include <uv.h>

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <utility>

namespace gather::async {

/// Clears the way back to the owner and closes. libuv may touch a handle until its close callback, so that is
/// what frees the block, in a later turn of the loop; the poller's destructor waits for all of them.
template <class Uv>
struct CloseHandle {
  void operator()(Uv* handle) const noexcept {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Uv*>(closed); });
  }
};

/// An open handle (uv_tcp_t, uv_signal_t, …) in a heap block of its own. It dies before its loop does.
template <class Uv>
using Handle = std::unique_ptr<Uv, CloseHandle<Uv>>;

/// Makes one with `init`, a call of libuv's `int init(Uv*)`; gives libuv's error if that fails. Callbacks
/// find `owner` in `data`; after the Handle is gone they find null, or are not called at all.
template <class Uv, class Init>
std::expected<Handle<Uv>, int> open_handle(void* owner, Init init) {
  auto block = std::make_unique<Uv>();
  if (const int error = init(block.get()); error != 0) return std::unexpected(error);
  block->data = owner;
  return Handle<Uv>(block.release());
}

/// What uv_buf_init makes, without its limit of 4 GiB.
inline uv_buf_t buffer_of(char* bytes, std::size_t size) noexcept {
  uv_buf_t buffer{};
  buffer.base = bytes;
  buffer.len = size;
  return buffer;
}

/// A request in flight (uv_write_t, uv_connect_t, …) with the bytes it needs. It belongs to libuv from the
/// successful call on until its callback, which always comes: with UV_ECANCELED if the handle is closed.
template <class Uv>
struct RequestBlock final : PendingRequest {
  RequestBlock(RequestOp& op, std::string its_bytes) : PendingRequest(op), bytes(std::move(its_bytes)) {
    uv.data = this;
  }

  /// The callback to pass to libuv.
  static void done(Uv* request, int status) noexcept {
    const std::unique_ptr<RequestBlock> block(static_cast<RequestBlock*>(request->data));
    block->finished(status);
  }

  Uv uv{};
  std::string bytes;
};

/// Hands a request to libuv by `call(RequestBlock<Uv>&)`, for the op that waits for it; gives what the call
/// returned. On an error there is no callback, and nothing is left.
template <class Uv, class Call>
int start_request(RequestOp& op, std::string bytes, Call call) {
  auto block = std::make_unique<RequestBlock<Uv>>(op, std::move(bytes));
  const int error = call(*block);
  if (error == 0) block.release()->attach();
  return error;
}

}  // namespace gather::async
