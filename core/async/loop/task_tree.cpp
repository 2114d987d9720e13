#include "core/async/loop/task_tree.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/op.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace gather::async {
namespace {

std::string line_of(const CoPromiseBase& frame) {
  return fmt::format("{}:{}  {}", frame.where.file_name(), frame.where.line(), frame.where.function_name());
}

const char* remark(const TaskCell& task) {
  if (task.loop().current_task() == &task) return ", running now";
  if (!task.started()) return ", not started";
  return task.parked_on() == nullptr ? ", about to run" : "";
}

std::vector<const CoPromiseBase*> frames_of(const TaskCell& task) {
  std::vector<const CoPromiseBase*> frames;
  for (const CoPromiseBase* frame = task.innermost(); frame != nullptr; frame = frame->awaiter)
    frames.push_back(frame);
  std::ranges::reverse(frames);
  return frames;
}

std::vector<const Cell*> targets_of(const TaskCell& task) {
  std::vector<const Cell*> cells;
  if (const Op* const op = task.parked_on()) op->targets(cells);
  return cells;
}

class Tree {
 public:
  explicit Tree(const Loop& loop) : tasks_(loop.all_tasks()) {
    for (const AnyTask& task : tasks_)
      for (const Cell* const cell : targets_of(task.cell())) awaited_.insert(cell);
  }

  std::string text() {
    for (const AnyTask& task : tasks_)
      if (!awaited_.contains(&task.cell())) add(task.cell(), "");
    for (const AnyTask& task : tasks_)  // Those that wait for each other in a circle.
      if (!shown_.contains(&task.cell())) add(task.cell(), "");
    return std::move(text_);
  }

 private:
  void add(const TaskCell& task, const std::string& indent) {
    if (!shown_.insert(&task).second) {
      text_ += fmt::format("{}{}, see above\n", indent, task.title());
      return;
    }
    text_ += fmt::format("{}{}{}\n", indent, task.title(), remark(task));
    for (const CoPromiseBase* const frame : frames_of(task))
      text_ += fmt::format("{}    {}\n", indent, line_of(*frame));
    for (const Cell* const cell : targets_of(task)) {
      const auto found =
          std::ranges::find(tasks_, cell, [](const AnyTask& each) -> const Cell* { return &each.cell(); });
      if (found != tasks_.end()) add(found->cell(), indent + "  ");
    }
  }

  std::vector<AnyTask> tasks_;
  std::set<const Cell*> awaited_;
  std::set<const Cell*> shown_;
  std::string text_;
};

}  // namespace

std::string describe_tasks(const Loop& loop) { return Tree(loop).text(); }

std::string describe_task(const AnyTask& task) {
  std::string text = fmt::format("{}{}\n", task.cell().title(), task.done() ? ", done" : remark(task.cell()));
  for (const CoPromiseBase* const frame : frames_of(task.cell()))
    text += fmt::format("    {}\n", line_of(*frame));
  return text;
}

}  // namespace gather::async
