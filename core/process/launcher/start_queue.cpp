#include "core/process/launcher/start_queue.hpp"

#include "core/process/launcher/short_slices.hpp"

#include <malloc.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace gather::process::launcher {

StartQueue::StartQueue()
    : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      most_threads_(std::clamp(std::thread::hardware_concurrency(), 1U, 4U) - 1) {}

StartQueue::~StartQueue() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void StartQueue::push(std::unique_ptr<Start> start) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(start));
}

std::unique_ptr<Start> StartQueue::pop() {
  bool more = false;
  std::unique_ptr<Start> first;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || paused_) return nullptr;
    first = std::move(waiting_.front());
    waiting_.pop_front();
    more = for_threads();
  }
  if (!more) return first;
  if (threads_.size() < most_threads_) {
    // What a child's peak memory begins with is ours, so that a heap for each thread would show there.
    mallopt(M_ARENA_MAX, 1);
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {  // Too many in the system.
      most_threads_ = threads_.size();
    }
  }
  wake_.notify_one();
  return first;
}

void StartQueue::work() {
  ask_for_short_slices();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || for_threads(); });
    if (stopping_) return;
    auto start = std::move(waiting_.front());
    waiting_.pop_front();
    ++busy_;
    lock.unlock();
    start->outcome = async::start_child(start->request.spec, async::StartPath::automatic, start->passed);
    lock.lock();
    --busy_;
    through_.push_back(std::move(start));
    eventfd_write(event_.get(), 1);
    if (busy_ == 0) idle_.notify_all();
  }
}

bool StartQueue::has_next() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty() && !paused_;
}

void StartQueue::pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
}

void StartQueue::go_on() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
}

void StartQueue::clear() {
  const std::lock_guard lock(mutex_);
  waiting_.clear();
}

std::vector<std::unique_ptr<Start>> StartQueue::through() { return through(std::unique_lock(mutex_)); }

std::vector<std::unique_ptr<Start>> StartQueue::through(const std::unique_lock<std::mutex>&) {
  if (through_.empty()) return {};
  eventfd_t count = 0;
  eventfd_read(event_.get(), &count);
  return std::exchange(through_, {});
}

bool StartQueue::quiet() const {
  const std::lock_guard lock(mutex_);
  return busy_ == 0 && through_.empty();
}

std::unique_lock<std::mutex> StartQueue::hold() {
  std::unique_lock lock(mutex_);
  holder_waits_ =
      true;  // Or a thread could take the next one before the caller has the lock, again and again.
  idle_.wait(lock, [this] { return busy_ == 0; });
  holder_waits_ = false;
  return lock;
}

}  // namespace gather::process::launcher
