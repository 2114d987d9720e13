/// Ring<T>: a first-in first-out store that allocates only to grow, and keeps what it has.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace gather::async {

/// Not a std::deque, which allocates and frees a chunk every few items as it moves on.
template <class T>
class Ring {
 public:
  Ring() = default;
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring&& other) noexcept {
    Ring moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Ring() {
    while (size_ > 0) drop_first();
  }

  std::size_t size() const noexcept { return size_; }

  void push(T&& item) {
    if (size_ == capacity_) grow();
    std::construct_at(&at(size_), std::move(item));
    ++size_;
  }

  /// Requires: not empty.
  T pop() noexcept {
    T item = std::move(at(0));
    drop_first();
    return item;
  }

 private:
  union Slot {
    Slot() {}
    ~Slot() {}
    T item;
  };

  // The capacity is a power of two.
  T& at(std::size_t place) noexcept { return slots_[(first_ + place) & (capacity_ - 1)].item; }

  void drop_first() noexcept {
    std::destroy_at(&at(0));
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
  }

  void grow() {
    Ring larger;
    larger.capacity_ = capacity_ == 0 ? 8 : 2 * capacity_;
    larger.slots_ = std::make_unique<Slot[]>(larger.capacity_);
    while (size_ > 0) larger.push(pop());
    swap(larger);
  }

  void swap(Ring& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<Slot[]> slots_;
  std::size_t capacity_ = 0;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace gather::async
