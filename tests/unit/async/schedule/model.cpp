#include "tests/unit/async/schedule/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace gather::test {

constexpr std::size_t most_events = 100'000;  // Hundreds are usual. What goes on for ever must end.

Model::Model(Shape shape, bool tells)
    : semaphore{shape.permits}, queue{shape.maxsize}, barrier{shape.parties}, tells_(tells) {}

void Model::fail(std::string_view what) const {
  fmt::print(stderr, "after {} events: {}\n", events_, what);
  std::abort();
}

void Model::tell(std::string_view what) {
  if (++events_ > most_events) fail("it goes on for ever");
  if (tells_) fmt::print(stderr, "    {}\n", what);
}

void Model::tell(Actor actor, std::string_view what) {
  if (++events_ > most_events) fail("it goes on for ever");
  if (tells_) fmt::print(stderr, "{:3} {}\n", actor, what);
}

// Actors.

Actor Model::add() {
  actors_.emplace_back();
  return actors_.size() - 1;
}

void Model::started(Actor actor) {
  tell(actor, "starts");
  State& state = actors_[actor];
  require(state.place == Place::unstarted && !state.due, "a task started that must not");
  state.place = Place::running;
}

void Model::ended(Actor actor) {
  tell(actor, "ends");
  actors_[actor].place = Place::ended;
}

void Model::cancel(Actor actor) {
  tell(actor, "is cancelled");
  State& state = actors_[actor];
  ++state.requests;
  state.due = true;
  if (state.place == Place::asleep) state.place = Place::unhooked;
  if (state.place != Place::in_line) return;
  if (state.waits_for_condition && state.line == &lock.waiters) return;  // It must have the lock first.
  std::erase(*state.line, actor);
  if (state.waits_for_condition)
    line_up_for_lock(actor);
  else
    state.place = Place::unhooked;
}

void Model::take_back(Actor actor) {
  State& state = actors_[actor];
  if (--state.requests == 0) state.due = false;
}

void Model::forgive(Actor actor) {
  actors_[actor].requests = 0;
  actors_[actor].due = false;
}

// What every wait has in common.

void Model::arrive_at(Actor actor, Line& line, bool at_once) {
  State& state = actors_[actor];
  require(state.place == Place::running, "a task ran that must not");
  if (at_once) {
    state.place = Place::at_once;
    at_once_since_ = events_;
  } else if (state.due) {
    state.place = Place::unhooked;
  } else {
    state.place = Place::in_line;
    state.line = &line;
    line.push_back(actor);
  }
}

void Model::went_well(Actor actor) {
  State& state = actors_[actor];
  if (state.place == Place::at_once) {
    require(events_ == at_once_since_ + 1, "it waited, and need not");
  } else {
    require(state.place != Place::in_line, "it is not its turn");
    require(state.place == Place::promised || state.place == Place::told, "it had nothing to wait for");
    require(!state.due, "a cancel was lost");
  }
  state.place = Place::running;
}

// Whether it had been promised what it waited for.
bool Model::interrupted(Actor actor) {
  State& state = actors_[actor];
  require(state.due, "cancelled, and nobody asked for it");
  require(state.place == Place::promised || state.place == Place::told || state.place == Place::unhooked,
          "cancelled where it can't be");
  state.due = false;
  const bool had_promise = state.place == Place::promised;
  state.place = Place::running;
  return had_promise;
}

void Model::promise(Line& line) {
  actors_[line.front()].place = Place::promised;
  line.pop_front();
}

void Model::sleep(Actor actor) {
  tell(actor, "sleeps");
  State& state = actors_[actor];
  require(state.place == Place::running, "a task ran that must not");
  state.place = state.due ? Place::unhooked : Place::asleep;
}

void Model::slept(Actor actor) {
  tell(actor, "has slept");
  State& state = actors_[actor];
  require(state.place == Place::asleep && !state.due, "a cancel was lost");
  state.place = Place::running;
}

void Model::sleep_interrupted(Actor actor) {
  tell(actor, "is woken by a cancel");
  interrupted(actor);
}

// Lock and semaphore.

void Model::acquire(Actor actor, ModelPermits& permits) {
  tell(actor, &permits == &lock ? "wants the lock" : "wants a permit");
  const bool at_once = permits.free > 0;
  if (at_once) --permits.free;
  arrive_at(actor, permits.waiters, at_once);
}

void Model::acquired(Actor actor) {
  tell(actor, "has it");
  went_well(actor);
}

void Model::acquire_interrupted(Actor actor, ModelPermits& permits) {
  tell(actor, "gets no permit: cancelled");
  if (interrupted(actor)) release(permits);
}

void Model::release(ModelPermits& permits) {
  tell(&permits == &lock ? "the lock is released" : "a permit is released");
  if (permits.waiters.empty())
    ++permits.free;
  else
    promise(permits.waiters);
}

// Event and join.

void Model::wait_for(Actor actor, ModelFlag& flag) {
  tell(actor, &flag == &event ? "waits for the event" : "joins the queue");
  arrive_at(actor, flag.waiters, flag.set);
}

void Model::waited_for(Actor actor) {
  tell(actor, "has waited for it");
  went_well(actor);
}

void Model::wait_for_interrupted(Actor actor) {
  tell(actor, "no longer waits for it: cancelled");
  interrupted(actor);
}

void Model::set(ModelFlag& flag) {
  tell(&flag == &event ? "the event is set" : "all items are done");
  flag.set = true;
  while (!flag.waiters.empty()) promise(flag.waiters);
}

void Model::clear(ModelFlag& flag) {
  if (&flag == &event) tell("the event is cleared");
  flag.set = false;
}

// Condition.

void Model::wait(Actor actor) {
  tell(actor, "waits for the condition");
  State& state = actors_[actor];
  state.waits_for_condition = true;
  state.notified = false;
  arrive_at(actor, condition_, false);
  if (state.place == Place::in_line) release(lock);
}

void Model::notified(Actor actor) {
  tell(actor, "was notified");
  went_well(actor);
  require(actors_[actor].notified, "woken, and nobody notified it");
  actors_[actor].waits_for_condition = false;
}

void Model::wait_interrupted(Actor actor, bool locked) {
  tell(actor, "no longer waits for the condition: cancelled");
  require(locked, "a condition was left without its lock");
  State& state = actors_[actor];
  const bool passes_on = interrupted(actor) && state.notified;
  state.waits_for_condition = false;
  if (passes_on) wake(1);
}

void Model::notify(std::size_t count) {
  tell("the condition is notified");
  wake(count);
}

void Model::wake(std::size_t count) {
  for (; count > 0 && !condition_.empty(); --count) {
    const Actor actor = condition_.front();
    condition_.pop_front();
    actors_[actor].notified = true;
    line_up_for_lock(actor);
  }
}

void Model::line_up_for_lock(Actor actor) {
  State& state = actors_[actor];
  if (lock.free > 0) {
    lock.free = 0;
    state.place = Place::promised;
  } else {
    state.line = &lock.waiters;
    lock.waiters.push_back(actor);
  }
}

std::optional<Actor> Model::first_promised() const {
  const auto found = std::ranges::find_if(
      actors_, [](const State& state) { return state.place == Place::promised && !state.due; });
  if (found == actors_.end()) return std::nullopt;
  return static_cast<Actor>(found - actors_.begin());
}

// Whoever is left must have a reason.

void Model::check_quiet() {
  for (const State& state : actors_) {
    const bool waits_for_lock = state.waits_for_condition && state.line == &lock.waiters;
    switch (state.place) {
      case Place::ended:
        break;
      case Place::unstarted:
        require(state.due, "a task was never started");
        break;
      case Place::asleep:
        break;
      case Place::in_line:
        require(!state.due || waits_for_lock, "a cancel was lost");
        break;
      case Place::unhooked:
        fail("a cancelled task never ran again");
      case Place::promised:
      case Place::told:
        fail("a wake-up was lost");
      case Place::at_once:
        fail("it waits, and need not");
      case Place::running:
        fail("a task is at nothing that is known");
    }
  }
  require(lock.free == 0 || lock.waiters.empty(), "the model is wrong: a free lock is waited for");
}

}  // namespace gather::test
