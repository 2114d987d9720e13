#include "core/async/loop/timer_heap.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <vector>

using gather::async::TimePoint;
using gather::async::Timer;
using gather::async::TimerHeap;

namespace {

struct Mark final : Timer {
  explicit Mark(int its_number) : number(its_number) {}
  void on_time() noexcept override {}
  int number;
};

TimePoint at(int nanoseconds) { return TimePoint(std::chrono::nanoseconds(nanoseconds)); }

}  // namespace

TEST_CASE("timers come out by deadline, and equal deadlines in order of insertion", "[async][timer]") {
  std::mt19937 random(7);
  TimerHeap heap;
  std::vector<std::unique_ptr<Mark>> marks;
  std::vector<std::pair<int, int>> expected;
  for (int i = 0; i < 1000; ++i) {
    const int when = static_cast<int>(random() % 50);
    marks.push_back(std::make_unique<Mark>(i));
    heap.insert(*marks.back(), at(when));
    if (i % 3 == 0) {
      const std::size_t victim = random() % marks.size();
      heap.remove(*marks[victim]);
      std::erase_if(expected, [&](const auto& e) { return e.second == static_cast<int>(victim); });
      if (victim == marks.size() - 1) continue;
    }
    expected.emplace_back(when, i);
  }
  std::ranges::sort(expected);

  std::vector<int> popped;
  while (const Timer* timer = heap.pop_due(at(100)))
    popped.push_back(static_cast<const Mark*>(timer)->number);

  std::vector<int> numbers;
  for (const auto& [when, number] : expected) numbers.push_back(number);
  CHECK(popped == numbers);
}

TEST_CASE("a timer that is not due stays in the heap", "[async][timer]") {
  TimerHeap heap;
  Mark mark(0);
  heap.insert(mark, at(10));
  CHECK(heap.pop_due(at(9)) == nullptr);
  CHECK(heap.pop_due(at(10)) == &mark);
  CHECK(heap.empty());
}

TEST_CASE("L6: cancelled timers leave nothing behind", "[async][timer]") {
  TimerHeap heap;
  Mark far(0), near(1);
  heap.insert(far, at(1'000'000));
  for (int i = 0; i < 1000; ++i) {
    heap.insert(near, at(i));
    heap.remove(near);
  }
  CHECK(heap.size() == 1);
  heap.remove(far);
}

TEST_CASE("equal deadlines keep their order when the count of insertions runs out", "[async][timer]") {
  TimerHeap heap(std::numeric_limits<std::uint32_t>::max() - 3);
  std::vector<std::unique_ptr<Mark>> marks;
  for (int i = 0; i < 8; ++i) {
    marks.push_back(std::make_unique<Mark>(i));
    heap.insert(*marks.back(), at(i % 2));
  }

  std::vector<int> popped;
  while (const Timer* timer = heap.pop_due(at(1))) popped.push_back(static_cast<const Mark*>(timer)->number);
  CHECK(popped == std::vector{0, 2, 4, 6, 1, 3, 5, 7});
}
