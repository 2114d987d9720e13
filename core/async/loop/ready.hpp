/// The ready queue: what runs in the loop's next pass, first come, first served.
#pragma once

#include <cassert>
#include <string>

namespace gather::async {

/// Something that can stand in the ready queue, in one place at a time. The queue does not own it.
class Ready {
 public:
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;

  /// Called once per time that it was queued, by the loop, and nowhere else.
  virtual void run() = 0;

  /// What it is, for debug mode: "task fetch", "a callback".
  virtual std::string title() const = 0;

 protected:
  Ready() = default;
  ~Ready() { assert(next_ == nullptr); }

 private:
  friend class ReadyQueue;
  Ready* next_ = nullptr;  // Points at itself at the end of the queue, so that "queued" can be asked.
};

/// Intrusive and FIFO; pushing and popping never allocate and never fail.
class ReadyQueue {
 public:
  bool empty() const noexcept { return first_ == nullptr; }

  /// Requires: `item` is not queued.
  void push(Ready& item) noexcept {
    assert(item.next_ == nullptr);
    item.next_ = &item;
    if (first_ == nullptr)
      first_ = &item;
    else
      last_->next_ = &item;
    last_ = &item;
  }

  /// Requires: not empty.
  Ready& pop() noexcept {
    Ready& item = *first_;
    first_ = item.next_ == &item ? nullptr : item.next_;
    item.next_ = nullptr;
    return item;
  }

  const Ready* last() const noexcept { return empty() ? nullptr : last_; }

 private:
  Ready* first_ = nullptr;
  Ready* last_ = nullptr;
};

}  // namespace gather::async
