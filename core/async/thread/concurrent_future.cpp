#include "core/async/thread/concurrent_future.hpp"

#include "core/async/loop/loop.hpp"

namespace gather::async {

bool ConcurrentState::done() const {
  const std::lock_guard lock(mutex_);
  return state_ != Cell::State::pending;
}

bool ConcurrentState::cancelled() const {
  const std::lock_guard lock(mutex_);
  return state_ == Cell::State::cancelled;
}

bool ConcurrentState::cancel(const std::shared_ptr<ConcurrentState>& self) {
  std::unique_lock lock(mutex_);
  if (state_ == Cell::State::cancelled) return true;
  if (state_ != Cell::State::pending) return false;
  // Under the lock: it is pending, so its loop is there, and can't close before the loop's side has had the
  // lock in its turn.
  loop_.post([self] {
    if (self->task) self->task.cancel();
  });
  finish(lock, std::make_exception_ptr(Cancelled{}));
  return true;
}

std::exception_ptr ConcurrentState::wait(std::optional<Clock::duration> timeout) {
  std::unique_lock lock(mutex_);
  const auto has_ended = [this] { return state_ != Cell::State::pending; };
  if (!has_ended() && Loop::running() == &loop_)
    throw InvalidState("a loop's own thread can't wait for what that loop is to run");
  if (!timeout)
    ended_.wait(lock, has_ended);
  else if (!ended_.wait_for(lock, *timeout, has_ended))
    throw TimeoutError();
  return error_;
}

void ConcurrentState::add_done_callback(Callback callback) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ == Cell::State::pending) {
      callbacks_.push_back(std::move(callback));
      return;
    }
  }
  [&]() noexcept { callback(); }();
}

void ConcurrentState::finish(std::unique_lock<std::mutex>& lock, std::exception_ptr error) {
  state_ = !error                ? Cell::State::finished
           : is_cancelled(error) ? Cell::State::cancelled
                                 : Cell::State::failed;
  error_ = std::move(error);
  auto callbacks = std::exchange(callbacks_, {});
  ended_.notify_all();
  lock.unlock();
  [&]() noexcept {
    for (Callback& callback : callbacks) callback();
  }();
}

}  // namespace gather::async
