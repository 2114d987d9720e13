/// What a plain, sequential mind expects of the primitives: who has what, who waits where, who is next. It
/// knows nothing of coroutines or loops, only the order of events.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace gather::test {

/// One task of a program, by number.
using Actor = std::size_t;

/// Those who wait, longest first.
using Line = std::deque<Actor>;

/// A semaphore; with one permit, a lock.
struct ModelPermits {
  std::size_t free;
  Line waiters{};
};

/// An event; also "all items are done", for which join() waits.
struct ModelFlag {
  bool set = false;
  Line waiters{};
};

struct ModelQueue {
  std::size_t maxsize;  ///< 0 is no limit.
  std::deque<int> items{};
  std::size_t promised_items = 0;
  std::size_t promised_room = 0;
  std::size_t unfinished = 0;
  bool shut_down = false;
  Line getters{};
  Line putters{};
  ModelFlag finished{true};

  std::size_t available() const { return items.size() - promised_items; }
  bool full() const { return maxsize > 0 && items.size() + promised_room >= maxsize; }
};

struct ModelBarrier {
  std::size_t parties;
  std::size_t leaving = 0;
  bool leavers_broken = false;
  bool broken = false;
  Line waiters{};
};

/// Told of every event of a program in its order, it keeps the state that the primitives ought to be in, and
/// fails at the first event that should not have come, or not yet, or not to this actor.
///
/// Each wait is told in two parts: before the await, what is wanted; after it, how that ended: well,
/// interrupted (Cancelled was thrown), or refused (an error of the primitive).
class Model {
 public:
  struct Shape {
    std::size_t permits;
    std::size_t maxsize;
    std::size_t parties;
  };

  /// With `tells`, each event is printed to stderr.
  Model(Shape shape, bool tells);

  ModelPermits lock{1};
  ModelPermits semaphore;
  ModelFlag event;
  ModelQueue queue;
  ModelBarrier barrier;

  Actor add();
  void started(Actor actor);
  void ended(Actor actor);

  /// Somebody asked for the actor's cancel, and it was not done.
  void cancel(Actor actor);
  /// A time limit takes its own request back.
  void take_back(Actor actor);
  /// The actor goes on, and takes all requests back.
  void forgive(Actor actor);

  void sleep(Actor actor);
  void slept(Actor actor);
  void sleep_interrupted(Actor actor);

  void acquire(Actor actor, ModelPermits& permits);
  void acquired(Actor actor);
  void acquire_interrupted(Actor actor, ModelPermits& permits);
  void release(ModelPermits& permits);

  void wait_for(Actor actor, ModelFlag& flag);
  void waited_for(Actor actor);
  void wait_for_interrupted(Actor actor);
  void set(ModelFlag& flag);
  void clear(ModelFlag& flag);

  /// A condition on `lock`. `locked` is what the real lock says.
  void wait(Actor actor);
  void notified(Actor actor);
  void wait_interrupted(Actor actor, bool locked);
  void notify(std::size_t count);
  void notify_all() { notify(condition_.size()); }

  void put(Actor actor);
  void put_done(Actor actor, int item);
  void put_interrupted(Actor actor);
  void put_refused(Actor actor);
  void get(Actor actor);
  void got(Actor actor, int item);
  void get_interrupted(Actor actor);
  void get_refused(Actor actor);
  void put_now(int item);
  void got_now(int item);
  void task_done();
  void shut_down(bool immediate);

  void arrive(Actor actor);
  void passed(Actor actor, std::size_t index);
  void arrive_interrupted(Actor actor);
  void found_broken(Actor actor);
  void reset_barrier();
  void abort_barrier();

  /// One who was handed what it waited for, was not cancelled since, and has not run yet.
  std::optional<Actor> first_promised() const;

  /// Nothing is ready, and the time moves on: nobody may be left with something to do.
  void check_quiet();

  /// Prints `what` and ends the program: what has gone wrong in the library can't be unwound safely.
  [[noreturn]] void fail(std::string_view what) const;
  void require(bool condition, std::string_view what) const {
    if (!condition) fail(what);
  }

 private:
  enum class Place {
    unstarted,
    running,
    at_once,  // At an await that must not suspend.
    asleep,   // Until a time.
    in_line,
    promised,  // Completed, and has not run since.
    told,      // The same, by a shutdown.
    unhooked,  // Cancelled out of a line or a sleep, and has not run since.
    ended,
  };

  struct State {
    Place place = Place::unstarted;
    Line* line = nullptr;
    int requests = 0;
    bool due = false;  // A Cancelled must be thrown at the next await that suspends.
    bool waits_for_condition = false;
    bool notified = false;
    std::size_t index = 0;  // At the barrier.
  };

  void tell(Actor actor, std::string_view what);
  void tell(std::string_view what);
  void arrive_at(Actor actor, Line& line, bool at_once);
  void went_well(Actor actor);
  bool interrupted(Actor actor);
  void promise(Line& line);
  void line_up_for_lock(Actor actor);
  void wake(std::size_t count);
  void wake_getter();
  void wake_putter();
  void store(int item);
  void take(int item);
  void let_go(std::size_t count);
  void left();

  std::vector<State> actors_;
  Line condition_;
  std::size_t events_ = 0;
  std::size_t at_once_since_ = 0;
  bool tells_;
};

}  // namespace gather::test
