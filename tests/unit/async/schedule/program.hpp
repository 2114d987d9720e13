/// A random program over the primitives, run in virtual time and held against the model event by event.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/sync/barrier.hpp"
#include "core/async/sync/condition.hpp"
#include "core/async/sync/event.hpp"
#include "core/async/sync/lock.hpp"
#include "core/async/sync/queue.hpp"
#include "core/async/sync/semaphore.hpp"
#include "tests/unit/async/schedule/model.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gather::test {

/// Small and fast to seed: a program draws a hundred numbers. Source: G. Steele, D. Lea, C. Flood, "Fast
/// splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t draw();
  /// From 0 to `end` - 1.
  std::size_t below(std::size_t end) { return draw() % end; }
  bool one_in(std::size_t chances) { return below(chances) == 0; }

 private:
  std::uint64_t state_;
};

/// One program. Its actors spawn, cancel and time-limit one another, and wait for the primitives in any order
/// and nesting, deadlocks included. The director looks from time to time whether anyone was forgotten, and in
/// the end cancels all, after which everyone must end and everything be given back.
class Program {
 public:
  /// The same seed gives the same program. With `tells`, it prints what happens to stderr.
  Program(std::uint64_t seed, bool tells);

  /// Does not return if anything is wrong; see Model::fail.
  void run();

 private:
  class TimeLimit;
  template <class L>
  struct Held;
  struct Mishap {};  // What a predicate throws.

  enum class Kind : std::uint8_t;

  async::Co<> direct();
  void spawn();
  void cancel_one();
  void check();
  void check_end();

  async::Co<> act(Actor self);
  async::Co<> step(Actor self, int depth, bool has_lock);
  async::Co<> pause(Actor self);
  async::Co<> limited(Actor self, int depth, bool has_lock);
  async::Co<> with_permit(Actor self, int depth, bool has_lock);
  async::Co<> with_lock(Actor self, int depth);
  async::Co<> acquire_lock(Actor self);
  async::Co<> consume(Actor self);
  async::Co<> consume_by_predicate(Actor self);
  async::Co<> produce(Actor self);
  async::Co<> wait_for_event(Actor self);
  async::Co<> put(Actor self);
  async::Co<> get(Actor self);
  async::Co<> join(Actor self);
  async::Co<> cross_barrier(Actor self);
  void touch_event();
  void put_now();
  void get_now();
  void item_done();
  void break_barrier();

  Random random_;
  Model::Shape shape_;
  Model model_;
  std::vector<Kind> kinds_;  // Of steps, in this program.
  async::Loop loop_;
  async::Lock lock_;
  async::Condition condition_{lock_};
  async::BoundedSemaphore semaphore_;
  async::Event event_;
  async::Queue<int> queue_;
  async::Barrier barrier_;
  std::vector<async::Task<>> tasks_;  // By actor.
  std::size_t tokens_ = 0;            // What the condition is about; under the lock.
  int next_item_ = 0;
  bool closing_ = false;
};

}  // namespace gather::test
