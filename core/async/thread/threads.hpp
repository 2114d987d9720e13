/// A loop's side of threads: its default pool, the calls that are under way for it, and the way back for
/// their answers. to_thread.hpp is what users see.
#pragma once

#include "core/async/task/awaitable.hpp"
#include "core/async/thread/pool.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace gather::async {

class Loop;
class ThreadCall;

/// The way to a loop that may have closed meanwhile: a call abandoned in a pool of the user's own may end
/// after it. For any thread.
class LoopGate {
 public:
  explicit LoopGate(Loop& loop) noexcept : loop_(&loop) {}

  /// Loop::post; drops `callback` if the loop has closed.
  void post(std::move_only_function<void()> callback);
  void close() noexcept;

 private:
  std::mutex mutex_;
  Loop* loop_;  // Null once closed.
};

/// A service of the loop's, made with its first use of a thread. On the loop's thread alone.
class Threads {
 public:
  /// Throws InvalidState for a virtual loop: its time would not wait for a thread.
  explicit Threads(Loop& loop);
  ~Threads() { close(); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// The loop closes: lets go of every call, asks those that take a stop token to stop, withdraws those that
  /// no thread has begun, and stands until the default pool is through with the rest. Can be repeated.
  void close() noexcept;

  /// Made with its first use. Throws InvalidState after shut_down().
  Pool& default_pool();

  /// No more default_pool(). Gives the one there was, null if none was ever needed; it ends with the loop.
  Pool* shut_down() noexcept;

  const std::shared_ptr<LoopGate>& gate() const noexcept { return gate_; }

 private:
  friend class ThreadCall;

  std::shared_ptr<LoopGate> gate_;
  std::optional<Pool> pool_;
  bool shut_down_ = false;
  ThreadCall* first_ = nullptr;
};

Threads& threads_of(Loop& loop);

/// One call on a thread of a pool, for a future of a loop. Nobody waits for it: when the future is cancelled,
/// a call that no thread has begun is withdrawn, and any other runs on for nobody.
///
/// Belongs to the pool while it is queued and runs, then to its message to the loop, which settles the
/// future; if the loop has closed, it dies on the pool's thread.
class ThreadCall : public Pool::Job, private DoneHook {
 public:
  virtual ~ThreadCall() = default;

  /// Submits `call` to `pool`. Throws what Pool::submit does. On the loop's thread.
  static void start(std::unique_ptr<ThreadCall> call, Pool& pool);

 protected:
  explicit ThreadCall(Cell& future);

  /// For a function that takes one.
  std::stop_token stop_token() {
    if (!stop_.stop_possible()) stop_ = std::stop_source();
    return stop_.get_token();
  }

 private:
  friend class Threads;

  /// On the pool's thread: calls the function, keeps the outcome, and destroys the function.
  virtual void call() noexcept = 0;
  /// On the loop's thread: settles the future, which is pending.
  virtual void settle(Cell& future) = 0;

  void run() noexcept final;
  void arrive();
  void on_done(Cell& future) noexcept final;
  void enlist() noexcept;
  void delist() noexcept;

  // For the loop's thread, but the gate and the stop source, which both may use.
  Threads& threads_;
  CellRef<Cell> future_;  // Null once nobody waits for it.
  ThreadCall* previous_ = nullptr;
  ThreadCall* next_ = nullptr;
  std::shared_ptr<LoopGate> gate_;
  std::stop_source stop_{std::nostopstate};
};

}  // namespace gather::async
