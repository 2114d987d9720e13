#include "core/run/states.hpp"

#include <array>
#include <cassert>
#include <initializer_list>

namespace gather::run {
namespace {

constexpr unsigned bit(State state) { return 1u << static_cast<unsigned>(state); }

constexpr unsigned bits(std::initializer_list<State> states) {
  unsigned set = 0;
  for (const State state : states) set |= bit(state);
  return set;
}

// By the state that is left. A milestone passes straight from waiting: it takes no slot and has nothing to
// run.
constexpr std::array<unsigned, state_count> allowed{
    bits({State::ready, State::passed, State::cancelled, State::skipped}),  // waiting
    bits({State::running, State::cancelled}),                               // ready
    bits({State::waiting, State::ready, State::passed, State::flaky, State::failed,
          State::timed_out,  // running; waiting is back-off, ready is for the next mirror
          State::cancelled}),
};

}  // namespace

void transition(TaskRecord& task, State next) {
  assert((allowed[static_cast<std::size_t>(task.state)] & bit(next)) != 0);
  task.state = next;
}

std::string_view verb(State state) {
  switch (state) {
    case State::timed_out:
      return "timed out";
    case State::cancelled:
      return "was cancelled";
    case State::skipped:
      return "was skipped";
    default:
      return "failed";
  }
}

}  // namespace gather::run
