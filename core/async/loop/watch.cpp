#include "core/async/loop/watch.hpp"

#include "core/base/error.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <cassert>
#include <cerrno>

namespace gather::async {

/// One per loop, made with its first watch.
class WatchSet {
 public:
  explicit WatchSet(uv_loop_t& loop) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0)
      throw Error(ExitStatus::task_failed, fmt::format("epoll_create1: {}", system_error_text(errno)));
    poll_ = new uv_poll_t;
    uv_poll_init(&loop, poll_, epoll_);
    poll_->data = this;
    uv_poll_start(poll_, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { static_cast<WatchSet*>(handle->data)->dispatch(); });
  }
  WatchSet(const WatchSet&) = delete;
  WatchSet& operator=(const WatchSet&) = delete;
  ~WatchSet() {
    uv_close(reinterpret_cast<uv_handle_t*>(poll_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
    close(epoll_);
  }

  void control(FdWatch& watch, int descriptor, bool known, Events events) {
    epoll_event event{};
    event.events =
        (any(events, Events::readable) ? EPOLLIN : 0u) | (any(events, Events::writable) ? EPOLLOUT : 0u);
    event.data.ptr = &watch;
    if (epoll_ctl(epoll_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) != 0)
      throw Error(ExitStatus::task_failed,
                  fmt::format("can't watch descriptor {}: {}", descriptor, system_error_text(errno)));
  }

  void remove(FdWatch& watch, int descriptor) noexcept {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
    forget(watch);
  }

  void forget(FdWatch& watch) noexcept {
    for (std::size_t i = next_; i < count_; ++i)
      if (batch_[i].data.ptr == &watch) batch_[i].data.ptr = nullptr;
  }

 private:
  void dispatch() noexcept {
    const int count = epoll_wait(epoll_, batch_.data(), static_cast<int>(batch_.size()), 0);
    count_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    for (next_ = 0; next_ < count_;) {
      const epoll_event& event = batch_[next_++];
      auto* const watch = static_cast<FdWatch*>(event.data.ptr);
      if (watch == nullptr) continue;  // Stopped by an event before it in this batch.
      Events events = Events::none;
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) events = events | Events::readable;
      if ((event.events & EPOLLOUT) != 0) events = events | Events::writable;
      if ((event.events & EPOLLERR) != 0) events = events | Events::error;
      watch->on_events(events);
    }
    count_ = next_ = 0;
  }

  int epoll_;
  uv_poll_t* poll_ = nullptr;  // Freed by its close callback, which may come after this has gone.
  std::array<epoll_event, 64> batch_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;  // The first event of the batch that has not been handed out.
};

void FdWatch::start(Loop& loop, int descriptor, Events events) {
  assert(!watching() || descriptor == descriptor_);
  WatchSet& set = loop.watch_set();
  set.control(*this, descriptor, watching(), events);
  set_ = &set;
  descriptor_ = descriptor;
}

void FdWatch::stop() noexcept {
  if (!watching()) return;
  set_->remove(*this, descriptor_);
  set_ = nullptr;
}

void FdWatch::forget() noexcept {
  if (watching()) set_->forget(*this);
  set_ = nullptr;
}

WatchSet& Loop::watch_set() {
  if (!watch_set_) watch_set_ = std::make_shared<WatchSet>(poller_->uv());
  return *watch_set_;
}

}  // namespace gather::async
