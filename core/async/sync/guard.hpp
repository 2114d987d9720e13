/// Guard: what was acquired, given back at the end of a scope; the counterpart of `async with lock`.
#pragma once

#include <coroutine>
#include <utility>

namespace gather::async {

template <class L>
class ScopedAcquire;

/// Holds a Lock or one permit of a Semaphore, and gives it back when it dies. What it holds must outlive it.
template <class L>
class [[nodiscard]] Guard {
 public:
  Guard(Guard&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (held_ != nullptr) held_->give_back();
  }

 private:
  friend class ScopedAcquire<L>;
  explicit Guard(L& held) noexcept : held_(&held) {}

  L* held_;
};

/// An acquire that gives a Guard. See the scoped() of what it acquires.
template <class L>
class [[nodiscard]] ScopedAcquire {
 public:
  explicit ScopedAcquire(L& wanted) noexcept : wanted_(wanted), acquire_(wanted) {}
  bool await_ready() noexcept { return acquire_.await_ready(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
    acquire_.await_suspend(frame);
  }
  Guard<L> await_resume() {
    acquire_.await_resume();
    return Guard<L>(wanted_);
  }

 private:
  L& wanted_;
  L::Acquire acquire_;
};

}  // namespace gather::async
