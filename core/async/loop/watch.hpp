/// Watching descriptors cheaply: one epoll set of our own, itself watched by the loop as a single descriptor.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/task/op.hpp"

#include <cstdint>

namespace gather::async {

class WatchSet;

/// What to wait for, or what has come; bits.
enum class Events : std::uint8_t { none = 0, readable = 1, writable = 2, error = 4 };

constexpr Events operator|(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool any(Events set, Events of) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(of)) != 0;
}

/// Watches one descriptor, level-triggered, until stop(). The descriptor stays its owner's, who stops the
/// watch before closing it.
///
/// uv_poll costs about six epoll_ctl calls per short-lived descriptor and aborts the process when one is
/// closed too early; this costs two and does neither. See core/README.md, "Watching descriptors".
class FdWatch {
 public:
  FdWatch() = default;
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;

  bool watching() const noexcept { return set_ != nullptr; }

  /// Starts, or changes what it waits for. Error and hang-up are always reported, as Events::error and, so
  /// that a read tells which, as Events::readable. Throws gather::Error when the kernel refuses (no memory
  /// for another watch, or a descriptor that can't be polled, such as a regular file).
  void start(Loop& loop, int descriptor, Events events);
  void stop() noexcept;
  /// The same of a descriptor that was closed meanwhile: its number, which may be somebody else's by now, is
  /// not touched.
  void forget() noexcept;

 protected:
  ~FdWatch() { stop(); }

 private:
  friend class WatchSet;
  /// Called by the loop, outside every task; only records and enqueues. May stop this watch or any other.
  virtual void on_events(Events events) noexcept = 0;

  WatchSet* set_ = nullptr;  // The loop's, while watching.
  int descriptor_ = -1;
};

/// Resumes the caller once the descriptor is readable (or writable), or at its end or error. For descriptors
/// that are waited for once, such as a pidfd; who reads again and again keeps an FdWatch.
class Readable final : public Op, private FdWatch {
 public:
  explicit Readable(int descriptor, Events events = Events::readable) noexcept
      : descriptor_(descriptor), events_(events) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    start(frame.promise().task->loop(), descriptor_, events_);  // First: it may throw.
    if (!park(frame)) stop();
  }
  void await_resume() { leave(); }

 private:
  void on_events(Events) noexcept override {
    stop();
    complete();
  }
  Abort abort() noexcept override {
    stop();
    return Abort::detached;
  }

  int descriptor_;
  Events events_;
};

}  // namespace gather::async
