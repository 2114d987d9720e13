/// StartQueue: what the launcher is to start, and the threads that do it beside its own.
#pragma once

#include "core/async/io/child.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/launcher/messages.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace gather::process::launcher {

/// A start that gather has asked for.
struct Start {
  std::uint64_t id = 0;
  StartRequest request;
  std::vector<Descriptor> descriptors;            ///< Those that the child gets, by request.spec.
  std::vector<async::PassedDescriptor> passed{};  ///< And these, not ours alone.
  std::expected<async::StartedChild, async::StartError> outcome{};
};

/// A start takes as long as the exec does, which waits for a processor itself; so where several wait, other
/// threads take some of them. Children that die with who started them die with its thread, so the threads
/// stay to the end.
///
/// All members are for the launcher's own thread.
class StartQueue {
 public:
  /// Starts no thread yet; one less than there are processors at most, and no more than three.
  StartQueue();
  /// Waits for what is being started.
  ~StartQueue();
  StartQueue(const StartQueue&) = delete;
  StartQueue& operator=(const StartQueue&) = delete;

  /// Readable when through() may have something.
  int descriptor() const noexcept { return event_.get(); }

  void push(std::unique_ptr<Start> start);
  /// The first that waits, which is the caller's to start, while threads take those behind it; null if there
  /// is none, or nothing is to be started. One that is to be isolated is for the caller alone: see hold().
  std::unique_ptr<Start> pop();
  /// Whether pop() would give one.
  bool has_next() const;
  /// Nothing more is started, by nobody, until go_on(). What is being started then is told by through().
  void pause();
  void go_on();
  /// Forgets all that wait.
  void clear();

  /// What threads have started since, or failed to.
  std::vector<std::unique_ptr<Start>> through();

  /// Whether nobody but the caller starts anything, and through() has given all.
  bool quiet() const;
  /// Waits until no thread starts anything, and keeps them from it as long as the lock lives. Then no child
  /// is there that through() does not tell.
  [[nodiscard]] std::unique_lock<std::mutex> hold();
  /// through(), for who has the lock.
  std::vector<std::unique_ptr<Start>> through(const std::unique_lock<std::mutex>& held);

 private:
  void work();
  bool for_threads() const {
    return waiting_.size() >= 2 && !waiting_.front()->request.policy.isolate && !holder_waits_ && !paused_;
  }

  Descriptor event_;
  std::size_t most_threads_;
  std::vector<std::thread> threads_;
  mutable std::mutex mutex_;  // Guards all that follows.
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::unique_ptr<Start>> waiting_;
  std::vector<std::unique_ptr<Start>> through_;
  std::size_t busy_ = 0;
  bool holder_waits_ = false;
  bool paused_ = false;
  bool stopping_ = false;
};

}  // namespace gather::process::launcher
