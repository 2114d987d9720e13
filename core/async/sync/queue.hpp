/// Queue, LifoQueue, PriorityQueue: items from task to task, with a limit, join and shutdown; asyncio's.
#pragma once

#include "core/async/sync/event.hpp"
#include "core/async/sync/ring.hpp"
#include "core/async/sync/waiters.hpp"
#include "core/async/task/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::async {

class QueueEmpty : public std::runtime_error {
 public:
  QueueEmpty() : std::runtime_error("the queue is empty") {}
};

class QueueFull : public std::runtime_error {
 public:
  QueueFull() : std::runtime_error("the queue is full") {}
};

/// The queue takes no more items, or gives none any more.
class QueueShutDown : public std::runtime_error {
 public:
  QueueShutDown() : std::runtime_error("the queue has been shut down") {}
};

/// What the three queues have in common; `Store` keeps the items and says which one is next. Items may be
/// move-only.
///
/// Strictly first come, first served on both sides (ours: asyncio's lets a newcomer overtake one who was
/// woken and has not run yet). To wake a getter is to promise it an item, to wake a putter is to promise it
/// room. The promise is kept for it until it runs, and passed on if it is cancelled meanwhile; the item
/// itself stays in the store, or in the putter's hands, until then. So a put or get that throws has not
/// happened, no item is lost or overtaken by a cancel, and a priority queue gives the least of what is there
/// when the getter runs.
///
/// Allocates only when the store grows. It must outlive all who wait for it.
template <class T, class Store>
class BasicQueue {
  static_assert(std::is_nothrow_move_constructible_v<T>, "an item that fails to move would be lost");

 public:
  /// At most `maxsize` items; 0 or less is no limit.
  explicit BasicQueue(std::ptrdiff_t maxsize = 0, Store store = Store())
      : maxsize_(maxsize), store_(std::move(store)) {
    finished_.set();
  }

  std::ptrdiff_t maxsize() const noexcept { return maxsize_; }

  /// How many items get_nowait() could take now. Those promised to getters that have not run yet do not
  /// count; they take up room all the same, so that for that moment a queue may be empty and full.
  std::size_t qsize() const noexcept { return empty() ? 0 : store_.size() - promised_items_; }
  /// True if get_nowait() would throw.
  bool empty() const noexcept { return store_.size() <= promised_items_; }
  /// True if put_nowait() would throw QueueFull.
  bool full() const noexcept {
    return maxsize_ > 0 && store_.size() + promised_room_ >= static_cast<std::size_t>(maxsize_);
  }

  class [[nodiscard]] Put final : public WaitOp {
   public:
    Put(BasicQueue& queue, T&& item) noexcept
        : WaitOp(queue.putters_), queue_(queue), item_(std::move(item)) {}
    bool await_ready() const noexcept { return !queue_.full() || queue_.shut_down_; }
    void await_resume() {
      leave();
      if (promised_) --queue_.promised_room_;
      queue_.put_nowait(std::move(item_));
    }

   private:
    friend class BasicQueue;
    void undo() noexcept override {
      if (!promised_) return;
      --queue_.promised_room_;
      queue_.wake_putter();
    }
    void promise() noexcept {
      promised_ = true;
      ++queue_.promised_room_;
      complete();
    }

    BasicQueue& queue_;
    T item_;
    bool promised_ = false;
  };

  /// Resumes once the item is in; at once, without suspending, if there is room. Throws QueueShutDown, also
  /// if that comes while it waits. A cancelled caller has not put it in.
  Put put(T item) noexcept { return Put(*this, std::move(item)); }

  /// Throws QueueFull or QueueShutDown; then `item` is as before if it was passed as an rvalue.
  void put_nowait(T&& item) {
    if (shut_down_) throw QueueShutDown();
    if (full()) throw QueueFull();
    try {
      store_.push(std::move(item));
    } catch (...) {  // No memory: the room is the next one's.
      wake_putter();
      throw;
    }
    ++unfinished_;
    finished_.clear();
    wake_getter();
  }
  void put_nowait(const T& item)
    requires std::is_copy_constructible_v<T>
  {
    put_nowait(T(item));
  }

  class [[nodiscard]] Get final : public WaitOp {
   public:
    explicit Get(BasicQueue& queue) noexcept : WaitOp(queue.getters_), queue_(queue) {}
    bool await_ready() const noexcept { return !queue_.empty() || queue_.shut_down_; }
    T await_resume() {
      leave();
      if (promised_) --queue_.promised_items_;
      return queue_.get_nowait();
    }

   private:
    friend class BasicQueue;
    void undo() noexcept override {
      if (!promised_) return;
      --queue_.promised_items_;
      queue_.wake_getter();
    }
    void promise() noexcept {
      promised_ = true;
      ++queue_.promised_items_;
      complete();
    }

    BasicQueue& queue_;
    bool promised_ = false;
  };

  /// Resumes with an item; at once, without suspending, if there is one that nobody was promised. Throws
  /// QueueShutDown if there is none and no more can come. A cancelled caller has taken none.
  Get get() noexcept { return Get(*this); }

  /// Throws QueueEmpty, or QueueShutDown if no more can come.
  T get_nowait() {
    if (empty()) {
      if (shut_down_) throw QueueShutDown();
      throw QueueEmpty();
    }
    T item = store_.pop();
    wake_putter();
    return item;
  }

  /// For each item got, once the work on it is done. Throws InvalidState if called more often than items were
  /// put.
  void task_done() {
    if (unfinished_ == 0) throw InvalidState("task_done() was called more often than items were put");
    if (--unfinished_ == 0) finished_.set();
  }

  /// Resumes once task_done() was called for every item put; at once if it has been.
  Event::Wait join() noexcept { return finished_.wait(); }

  /// From now on puts throw QueueShutDown, and gets do once the items are gone; all who wait are told. With
  /// `immediate` the items are gone at once, also those promised to getters that have not run yet, and count
  /// as done.
  void shutdown(bool immediate = false) {
    shut_down_ = true;
    while (auto* const getter = getters_.take_first()) static_cast<Get*>(getter)->complete();
    while (auto* const putter = putters_.take_first()) static_cast<Put*>(putter)->complete();
    if (!immediate) return;
    while (store_.size() > 0) {
      static_cast<void>(store_.pop());
      if (unfinished_ > 0) --unfinished_;
    }
    if (unfinished_ == 0) finished_.set();
  }

 private:
  void wake_getter() noexcept {
    if (!empty() && !getters_.empty()) static_cast<Get*>(getters_.take_first())->promise();
  }
  void wake_putter() noexcept {
    if (!full() && !putters_.empty()) static_cast<Put*>(putters_.take_first())->promise();
  }

  std::ptrdiff_t maxsize_;
  bool shut_down_ = false;
  Store store_;
  std::size_t promised_items_ = 0;
  std::size_t promised_room_ = 0;
  std::size_t unfinished_ = 0;
  WaitQueue getters_;  // Holds somebody only while every item is promised.
  WaitQueue putters_;  // Holds somebody only while all room is taken or promised.
  Event finished_;
};

/// The store of a LifoQueue.
template <class T>
class Stack {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  void push(T&& item) { items_.push_back(std::move(item)); }
  T pop() noexcept {
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  std::vector<T> items_;
};

/// The store of a PriorityQueue: a binary heap. What compares equal comes out in the order in which it went
/// in.
template <class T, class Compare>
class StableHeap {
 public:
  StableHeap(Compare less = Compare()) : less_(std::move(less)) {}

  std::size_t size() const noexcept { return entries_.size(); }
  void push(T&& item) {
    entries_.push_back({std::move(item), next_sequence_++});
    std::ranges::push_heap(entries_, After{less_});
  }
  T pop() {
    std::ranges::pop_heap(entries_, After{less_});
    T item = std::move(entries_.back().item);
    entries_.pop_back();
    return item;
  }

 private:
  struct Entry {
    T item;
    std::uint64_t sequence;
  };
  struct After {
    const Compare& less;
    bool operator()(const Entry& a, const Entry& b) const {
      if (less(a.item, b.item)) return false;
      if (less(b.item, a.item)) return true;
      return a.sequence > b.sequence;
    }
  };

  [[no_unique_address]] Compare less_;
  std::vector<Entry> entries_;
  std::uint64_t next_sequence_ = 0;
};

/// First in, first out.
template <class T>
using Queue = BasicQueue<T, Ring<T>>;

/// Last in, first out.
template <class T>
using LifoQueue = BasicQueue<T, Stack<T>>;

/// The least first, by `Compare`; equals in the order in which they were put (ours: asyncio's heap has none).
/// Comparing must not throw. Another comparator is given as `PriorityQueue<Job, ByCost> queue(0,
/// ByCost(table))`.
template <class T, class Compare = std::less<T>>
using PriorityQueue = BasicQueue<T, StableHeap<T, Compare>>;

}  // namespace gather::async
