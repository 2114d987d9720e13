#include "core/job/cycles.hpp"

#include <algorithm>
#include <cstdint>

namespace gather::job {
namespace {

class Components {
 public:
  explicit Components(std::span<const Task> tasks) : tasks_(tasks), states_(tasks.size()) {}

  /// Calls `found` with the members of each component of two tasks or more, in file order.
  template <class Found>
  void each(Found found) {
    for (std::uint32_t root = 0; root < tasks_.size(); ++root)
      if (states_[root].order == unseen) explore(root, found);
  }

 private:
  static constexpr std::uint32_t unseen = 0;

  struct State {
    std::uint32_t order = unseen;  ///< When it was met, from 1.
    std::uint32_t lowest = 0;      ///< The earliest task on the stack that it leads back to.
    std::uint32_t next_need = 0;   ///< Which of its needs to follow next.
    bool on_stack = false;
  };

  void enter(std::uint32_t task) {
    states_[task].order = states_[task].lowest = ++met_;
    states_[task].on_stack = true;
    stack_.push_back(task);
    path_.push_back(task);
  }

  template <class Found>
  void explore(std::uint32_t root, Found& found) {
    enter(root);
    while (!path_.empty()) {
      const std::uint32_t task = path_.back();
      State& state = states_[task];
      if (state.next_need < tasks_[task].needs.size()) {
        const auto need = static_cast<std::uint32_t>(tasks_[task].needs[state.next_need++]);
        if (states_[need].order == unseen)
          enter(need);
        else if (states_[need].on_stack)
          state.lowest = std::min(state.lowest, states_[need].order);
        continue;
      }
      path_.pop_back();
      if (!path_.empty()) states_[path_.back()].lowest = std::min(states_[path_.back()].lowest, state.lowest);
      if (state.lowest == state.order) leave(task, found);
    }
  }

  template <class Found>
  void leave(std::uint32_t first, Found& found) {
    std::vector<std::uint32_t> members;
    do {
      members.push_back(stack_.back());
      states_[stack_.back()].on_stack = false;
      stack_.pop_back();
    } while (members.back() != first);
    if (members.size() < 2) return;
    std::ranges::sort(members);
    found(members);
  }

  std::span<const Task> tasks_;
  std::vector<State> states_;
  std::vector<std::uint32_t> stack_;  ///< Met, and not yet in a component.
  std::vector<std::uint32_t> path_;   ///< From the root to where we are.
  std::uint32_t met_ = 0;
};

}  // namespace

std::vector<std::vector<TaskId>> find_cycles(std::span<const Task> tasks) {
  std::vector<std::vector<TaskId>> cycles;
  std::vector<std::uint32_t> before(tasks.size());  // Of a member: the task it was reached from.
  std::vector<std::uint8_t> state(tasks.size());    // 1: in the component at hand, 2: reached.
  Components(tasks).each([&](const std::vector<std::uint32_t>& members) {
    for (const std::uint32_t member : members) state[member] = 1;
    // The shortest way back to the earliest member, breadth first within the component.
    const std::uint32_t first = members.front();
    std::vector<std::uint32_t> queue{first};
    bool closed = false;
    for (std::size_t i = 0; i < queue.size() && !closed; ++i) {
      for (const TaskId id : tasks[queue[i]].needs) {
        const auto need = static_cast<std::uint32_t>(id);
        if (need == first) {
          before[first] = queue[i];
          closed = true;
          break;
        }
        if (state[need] != 1) continue;
        state[need] = 2;
        before[need] = queue[i];
        queue.push_back(need);
      }
    }
    for (const std::uint32_t member : members) state[member] = 0;
    std::vector<TaskId> cycle;
    for (std::uint32_t at = before[first]; at != first; at = before[at]) cycle.push_back(TaskId{at});
    cycle.push_back(TaskId{first});
    std::ranges::reverse(cycle);
    cycles.push_back(std::move(cycle));
  });
  std::ranges::sort(cycles);
  return cycles;
}

}  // namespace gather::job
