#include "core/async/thread/pool.hpp"

#include "core/async/task/error.hpp"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace gather::async {

struct Pool::State {
  explicit State(std::size_t most) : most_threads(most) {}

  void push(Job& job) noexcept {
    job.previous_ = last;
    job.next_ = nullptr;
    (last != nullptr ? last->next_ : first) = &job;
    last = &job;
    job.queued_ = true;
    ++queued;
  }

  void take_out(Job& job) noexcept {
    (job.previous_ != nullptr ? job.previous_->next_ : first) = job.next_;
    (job.next_ != nullptr ? job.next_->previous_ : last) = job.previous_;
    job.queued_ = false;
    --queued;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (first != nullptr) {
        Job& job = *first;
        take_out(job);
        lock.unlock();
        job.run();
        lock.lock();
      } else if (stopping) {
        break;
      } else {
        ++idle;
        wake.wait(lock);
        --idle;
      }
    }
    if (--working > 0) return;
    auto calls = std::exchange(ended, {});
    lock.unlock();
    for (auto& call : calls) call();
  }

  const std::size_t most_threads;
  std::mutex mutex;  // Guards all that follows.
  std::condition_variable wake;
  Job* first = nullptr;
  Job* last = nullptr;
  std::size_t queued = 0;
  std::size_t idle = 0;  // Also those that were woken for a job and have not taken it yet.
  std::size_t working = 0;
  bool stopping = false;
  std::vector<std::move_only_function<void()>> ended;
  std::vector<std::thread> threads;
};

std::size_t Pool::default_size() noexcept {
  return std::min<std::size_t>(32, std::max(1U, std::thread::hardware_concurrency()) + 4);
}

Pool::Pool(std::size_t most_threads) : state_(std::make_shared<State>(most_threads)) {
  assert(most_threads >= 1);
}

Pool::~Pool() { shutdown(); }

void Pool::submit(Job& job) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) throw InvalidState("the thread pool was shut down");
    job.pool_ = state_;
    state_->push(job);
    if (state_->queued > state_->idle && state_->threads.size() < state_->most_threads) try {
        state_->threads.emplace_back([state = state_] { state->work(); });
        ++state_->working;
        return;
      } catch (const std::system_error&) {  // Too many threads in the system: those that are there must do.
        if (state_->threads.empty()) {
          state_->take_out(job);
          throw;
        }
      }
  }
  state_->wake.notify_one();
}

void Pool::begin_shutdown(std::move_only_function<void()> ended) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    if (state_->working > 0) {
      state_->ended.push_back(std::move(ended));
      ended = nullptr;
    }
  }
  state_->wake.notify_all();
  if (ended) ended();
}

void Pool::shutdown() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    threads.swap(state_->threads);
  }
  state_->wake.notify_all();
  for (std::thread& thread : threads) thread.join();
}

std::size_t Pool::threads() const {
  const std::lock_guard lock(state_->mutex);
  return state_->threads.size();
}

bool Pool::Job::withdraw() noexcept {
  if (!pool_) return false;
  const std::lock_guard lock(pool_->mutex);
  if (!queued_) return false;
  pool_->take_out(*this);
  return true;
}

}  // namespace gather::async
