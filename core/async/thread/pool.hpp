/// Threads for calls that block: ThreadPoolExecutor's counterpart. Knows no loop; to_thread.hpp does.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace gather::async {

/// Up to so many threads, started as jobs come that no idle one can take, and kept until the pool ends. Jobs
/// start in the order in which they were submitted. Any thread may call any member.
///
/// Signals are not blocked in the threads, so that programs which a job starts find the usual mask.
class Pool {
 public:
  class Job;

  /// min(32, processors + 4), as in Python: many calls wait more than they compute.
  static std::size_t default_size() noexcept;

  /// Starts no thread yet. Requires: most_threads >= 1.
  explicit Pool(std::size_t most_threads = default_size());
  /// As shutdown().
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Queues a job; see there for who owns it. Throws InvalidState after a shutdown, and std::system_error if
  /// the pool has no thread and none can be started; then nothing was queued.
  void submit(Job& job);

  /// Takes no more jobs, lets those in the queue run, and stands until the last has ended. Can be repeated;
  /// not for the pool's own threads.
  void shutdown();

  /// The same without standing: calls `ended` when the last job has, on whatever thread that is, in this very
  /// call if no thread is left. Can be repeated. Requires: `ended` does not throw.
  void begin_shutdown(std::move_only_function<void()> ended);

  /// How many threads were started.
  std::size_t threads() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // Jobs share it, as they may ask for their withdrawal after the pool's end.
};

/// Something to run on a thread of a pool, at most once. The submitter owns it, and keeps it alive until
/// run() has begun and said otherwise, or withdraw() has succeeded.
class Pool::Job {
 public:
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Takes it out of the queue, so that it never runs; false if a thread has begun it.
  bool withdraw() noexcept;

 protected:
  Job() = default;
  ~Job() = default;

 private:
  friend class Pool;

  /// On a thread of the pool, which does not touch the job afterwards.
  virtual void run() noexcept = 0;

  std::shared_ptr<State> pool_;
  Job* previous_ = nullptr;
  Job* next_ = nullptr;
  bool queued_ = false;  // Like the links, guarded by the pool's mutex.
};

}  // namespace gather::async
