#include "tests/unit/async/schedule/program.hpp"

#include "core/async/combine/timeout.hpp"

#include <chrono>

using namespace std::chrono_literals;
using namespace gather::async;

namespace gather::test {

constexpr std::size_t most_actors = 8;

enum class Program::Kind : std::uint8_t {
  pause,
  limited,
  with_permit,
  with_lock,
  consume,
  produce,
  wait_for_event,
  touch_event,
  put,
  get,
  put_now,
  get_now,
  join,
  cross_barrier,
  break_barrier,
  cancel,
  spawn,
  count
};

std::uint64_t Random::draw() {
  std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

// A few kinds of step in each program, others in the next: many tasks that do little else than fight for the
// same thing find more than an even mixture of everything. Source: A. Groce et al., "Swarm testing", ISSTA
// 2012.
Program::Program(std::uint64_t seed, bool tells)
    : random_(seed),
      shape_{1 + random_.below(2), random_.below(4), 2 + random_.below(2)},
      model_(shape_, tells),
      loop_(make_virtual_poller()),
      semaphore_(static_cast<std::ptrdiff_t>(shape_.permits)),
      queue_(static_cast<std::ptrdiff_t>(shape_.maxsize)),
      barrier_(static_cast<std::ptrdiff_t>(shape_.parties)) {
  for (std::size_t kind = 0; kind < static_cast<std::size_t>(Kind::count); ++kind)
    if (random_.one_in(2)) kinds_.push_back(static_cast<Kind>(kind));
  kinds_.push_back(Kind::cancel);
}

void Program::run() {
  loop_.run(direct());
  check_end();
}

// Of an odd length, so that the director never wakes at a time to which an actor sleeps: those are whole
// milliseconds from the start or from one of its ticks. When it wakes, nothing else is ready.
constexpr gather::Duration tick = 1001us;

Co<> Program::direct() {
  for (std::size_t actors = 2 + random_.below(4); actors > 0; --actors) spawn();
  co_await sleep(tick);
  for (int ticks = 0; ticks < 10; ++ticks) {
    check();
    if (random_.one_in(3)) cancel_one();
    co_await sleep(tick);
  }
  check();
  closing_ = true;
  for (Actor actor = 0; actor < tasks_.size(); ++actor)
    if (tasks_[actor].cancel()) model_.cancel(actor);
  co_await sleep(tick);
}

void Program::spawn() {
  if (tasks_.size() == most_actors) return;
  const Actor actor = model_.add();
  tasks_.push_back(loop_.create_task(act(actor)));
}

// By preference one who was handed something and has not run since: giving back is where mistakes are.
void Program::cancel_one() {
  Actor actor = random_.below(tasks_.size());
  if (!random_.one_in(3)) actor = model_.first_promised().value_or(actor);
  if (tasks_[actor].cancel()) model_.cancel(actor);
}

void Program::check() {
  model_.check_quiet();
  model_.require(lock_.locked() == (model_.lock.free == 0), "the lock is wrong");
  model_.require(semaphore_.available() == model_.semaphore.free, "permits were lost or made");
  model_.require(event_.is_set() == model_.event.set, "the event is wrong");
  model_.require(queue_.qsize() == model_.queue.available(), "the queue's size is wrong");
  model_.require(queue_.full() == model_.queue.full(), "the queue's room is wrong");
  model_.require(barrier_.n_waiting() == model_.barrier.waiters.size(), "the barrier miscounts");
}

void Program::check_end() {
  check();
  for (const Task<>& task : tasks_) model_.require(task.done(), "a task does not end");
  model_.require(loop_.timers() == 0, "a timer is left");
  model_.require(!lock_.locked(), "the lock is left locked");
  model_.require(semaphore_.available() == shape_.permits, "permits are left taken");
  while (!queue_.empty()) get_now();
  model_.require(model_.queue.items.empty(), "items were lost");
}

// Actors.

// A time limit's cancel, told to the model in the moment in which it is made: a timer for the same time, set
// just before the limit's own.
class Program::TimeLimit final : private Timer {
 public:
  TimeLimit(Program& program, Actor actor, gather::Duration length) : program_(program), actor_(actor) {
    program_.loop_.arm(*this, program_.loop_.now() + length);
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  ~TimeLimit() {
    program_.loop_.disarm(*this);
    if (expired_) program_.model_.take_back(actor_);
  }

 private:
  void on_time() noexcept override {
    expired_ = true;
    program_.model_.cancel(actor_);
  }

  Program& program_;
  Actor actor_;
  bool expired_ = false;
};

// Releases at the end of a scope, and tells the model.
template <class L>
struct Program::Held {
  Program& program;
  L& what;
  ModelPermits& permits;
  ~Held() {
    program.model_.release(permits);
    what.release();
  }
};

Co<> Program::act(Actor self) {
  model_.started(self);
  for (std::size_t steps = 1 + random_.below(6); steps > 0 && !closing_; --steps) {
    bool cancelled = false;
    try {
      co_await step(self, 2, false);
    } catch (const Mishap&) {
    } catch (const TimeoutError&) {
    } catch (const Cancelled&) {
      cancelled = true;
    }
    if (!cancelled) continue;
    if (closing_ || random_.one_in(2)) {
      model_.ended(self);
      throw Cancelled{};
    }
    if (random_.one_in(2)) continue;  // The request stays counted, and is not delivered again.
    model_.forgive(self);
    while (tasks_[self].uncancel() > 0) {
    }
  }
  model_.ended(self);
}

Co<> Program::step(Actor self, int depth, bool has_lock) {
  switch (kinds_[random_.below(kinds_.size())]) {
    case Kind::limited:
      if (depth > 0) return limited(self, depth - 1, has_lock);
      break;
    case Kind::with_permit:
      if (depth > 0) return with_permit(self, depth - 1, has_lock);
      break;
    case Kind::with_lock:
      if (depth > 0 && !has_lock) return with_lock(self, depth - 1);
      break;
    case Kind::consume:
      if (!has_lock) return random_.one_in(2) ? consume(self) : consume_by_predicate(self);
      break;
    case Kind::produce:
      if (!has_lock) return produce(self);
      break;
    case Kind::wait_for_event:
      return wait_for_event(self);
    case Kind::touch_event:
      touch_event();
      break;
    case Kind::put:
      return put(self);
    case Kind::get:
      return get(self);
    case Kind::put_now:
      put_now();
      break;
    case Kind::get_now:
      get_now();
      break;
    case Kind::join:
      return join(self);
    case Kind::cross_barrier:
      return cross_barrier(self);
    case Kind::break_barrier:
      if (random_.one_in(4)) break_barrier();
      break;
    case Kind::cancel:
      cancel_one();
      break;
    case Kind::spawn:
      spawn();
      break;
    case Kind::pause:
    case Kind::count:
      break;
  }
  return pause(self);
}

Co<> Program::pause(Actor self) {
  if (random_.one_in(4)) co_return;
  model_.sleep(self);
  try {
    co_await sleep(random_.below(3) * 1ms);
  } catch (const Cancelled&) {
    model_.sleep_interrupted(self);
    throw;
  }
  model_.slept(self);
}

Co<> Program::limited(Actor self, int depth, bool has_lock) {
  const gather::Duration length = random_.below(3) * 1ms;
  const TimeLimit limit(*this, self, length);
  co_await timeout(length, [&] { return step(self, depth, has_lock); });
}

Co<> Program::with_permit(Actor self, int depth, bool has_lock) {
  model_.acquire(self, model_.semaphore);
  try {
    co_await semaphore_.acquire();
  } catch (const Cancelled&) {
    model_.acquire_interrupted(self, model_.semaphore);
    throw;
  }
  model_.acquired(self);
  const Held held{*this, semaphore_, model_.semaphore};
  co_await step(self, depth, has_lock);
}

Co<> Program::acquire_lock(Actor self) {
  model_.acquire(self, model_.lock);
  try {
    co_await lock_.acquire();
  } catch (const Cancelled&) {
    model_.acquire_interrupted(self, model_.lock);
    throw;
  }
  model_.acquired(self);
}

Co<> Program::with_lock(Actor self, int depth) {
  co_await acquire_lock(self);
  const Held held{*this, lock_, model_.lock};
  co_await step(self, depth, true);
}

Co<> Program::consume(Actor self) {
  co_await acquire_lock(self);
  const Held held{*this, lock_, model_.lock};
  while (tokens_ == 0) {
    model_.wait(self);
    try {
      co_await condition_.wait();
    } catch (const Cancelled&) {
      model_.wait_interrupted(self, condition_.locked());
      throw;
    }
    model_.notified(self);
  }
  --tokens_;
}

Co<> Program::consume_by_predicate(Actor self) {
  co_await acquire_lock(self);
  const Held held{*this, lock_, model_.lock};
  bool waits = false;
  const auto predicate = [&] {
    if (waits) model_.notified(self);
    if (waits && random_.one_in(6)) {
      model_.notify(1);
      throw Mishap();
    }
    waits = tokens_ == 0;
    if (waits) model_.wait(self);
    return !waits;
  };
  try {
    co_await condition_.wait_for(predicate);
  } catch (const Cancelled&) {
    model_.wait_interrupted(self, condition_.locked());
    throw;
  }
  --tokens_;
}

Co<> Program::produce(Actor self) {
  co_await acquire_lock(self);
  const Held held{*this, lock_, model_.lock};
  tokens_ += random_.below(3);
  if (const std::size_t count = random_.below(4); count < 3) {
    model_.notify(count);
    condition_.notify(count);
  } else {
    model_.notify_all();
    condition_.notify_all();
  }
}

Co<> Program::wait_for_event(Actor self) {
  model_.wait_for(self, model_.event);
  try {
    co_await event_.wait();
  } catch (const Cancelled&) {
    model_.wait_for_interrupted(self);
    throw;
  }
  model_.waited_for(self);
}

void Program::touch_event() {
  if (random_.one_in(2)) {
    model_.set(model_.event);
    event_.set();
  }
  if (random_.one_in(2)) {
    model_.clear(model_.event);
    event_.clear();
  }
}

}  // namespace gather::test
