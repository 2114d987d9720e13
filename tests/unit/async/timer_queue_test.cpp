#include "core/async/loop/timer_queue.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using gather::async::TimePoint;
using gather::async::Timer;
using gather::async::TimerQueue;

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
  TimerQueue timers;
  std::vector<std::unique_ptr<Mark>> marks;
  std::vector<std::pair<int, int>> expected;
  for (int i = 0; i < 1000; ++i) {
    const int when = static_cast<int>(random() % 50);
    marks.push_back(std::make_unique<Mark>(i));
    timers.insert(*marks.back(), at(when));
    if (i % 3 == 0) {
      const std::size_t victim = random() % marks.size();
      timers.remove(*marks[victim]);
      std::erase_if(expected, [&](const auto& e) { return e.second == static_cast<int>(victim); });
      if (victim == marks.size() - 1) continue;
    }
    expected.emplace_back(when, i);
  }
  std::ranges::sort(expected);

  std::vector<int> popped;
  while (const Timer* timer = timers.pop_due(at(100)))
    popped.push_back(static_cast<const Mark*>(timer)->number);

  std::vector<int> numbers;
  for (const auto& [when, number] : expected) numbers.push_back(number);
  CHECK(popped == numbers);
}

TEST_CASE("any mixture of lengths comes out by deadline and insertion", "[async][timer]") {
  // Few lengths, as timeouts have, with a late one now and then; some are removed, and time goes on.
  struct Step {
    int lengths;      // So many different ones.
    int late_one_in;  // So many has a deadline far away.
    int remove_one_in;
  };
  const Step step = GENERATE(Step{1, 1'000'000, 1'000'000}, Step{1, 10, 3}, Step{1, 50, 2}, Step{2, 100, 2},
                             Step{3, 7, 3}, Step{1000, 20, 3}, Step{1, 3, 1});
  std::mt19937 random(11);
  const auto one_in = [&](int count) { return random() % static_cast<unsigned>(count) == 0; };
  TimerQueue timers(std::numeric_limits<std::uint32_t>::max() - 2500);
  std::vector<std::unique_ptr<Mark>> marks;
  std::map<std::pair<int, int>, Mark*> model;  // By deadline and insertion.
  std::vector<int> popped;
  std::vector<int> expected;
  const auto pop_until = [&](int now) {
    while (const Timer* timer = timers.pop_due(at(now)))
      popped.push_back(static_cast<const Mark*>(timer)->number);
    while (!model.empty() && model.begin()->first.first <= now) {
      expected.push_back(model.begin()->first.second);
      model.erase(model.begin());
    }
  };
  for (int i = 0; i < 5000; ++i) {
    const int length = 100 + 37 * static_cast<int>(random() % static_cast<unsigned>(step.lengths));
    const int when = i + (one_in(step.late_one_in) ? 1'000'000 : length);
    marks.push_back(std::make_unique<Mark>(i));
    timers.insert(*marks.back(), at(when));
    model.emplace(std::pair(when, i), marks.back().get());
    if (one_in(step.remove_one_in)) {
      const auto victim = std::next(model.begin(), static_cast<int>(random() % model.size()));
      timers.remove(*victim->second);
      model.erase(victim);
    }
    REQUIRE(timers.size() == model.size());
    if (!model.empty()) REQUIRE(timers.earliest() == at(model.begin()->first.first));
    if (one_in(10)) pop_until(i);
  }
  pop_until(2'000'000);
  CHECK(timers.empty());
  CHECK(popped == expected);
}

TEST_CASE("a timer that is not due stays in the queue", "[async][timer]") {
  TimerQueue timers;
  Mark mark(0);
  timers.insert(mark, at(10));
  CHECK(timers.pop_due(at(9)) == nullptr);
  CHECK(timers.pop_due(at(10)) == &mark);
  CHECK(timers.empty());
}

TEST_CASE("L6: cancelled timers leave nothing behind", "[async][timer]") {
  TimerQueue timers;
  Mark far(0), near(1);
  timers.insert(far, at(1'000'000));
  for (int i = 0; i < 1000; ++i) {
    timers.insert(near, at(i));
    timers.remove(near);
  }
  CHECK(timers.size() == 1);
  timers.remove(far);
}

TEST_CASE("equal deadlines keep their order when the count of insertions runs out", "[async][timer]") {
  TimerQueue timers(std::numeric_limits<std::uint32_t>::max() - 3);
  std::vector<std::unique_ptr<Mark>> marks;
  for (int i = 0; i < 8; ++i) {
    marks.push_back(std::make_unique<Mark>(i));
    timers.insert(*marks.back(), at(i % 2));
  }

  std::vector<int> popped;
  while (const Timer* timer = timers.pop_due(at(1)))
    popped.push_back(static_cast<const Mark*>(timer)->number);
  CHECK(popped == std::vector{0, 2, 4, 6, 1, 3, 5, 7});
}
