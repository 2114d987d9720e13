#include "core/testing/test_loop.hpp"

#include "core/async/loop/task_tree.hpp"
#include "core/async/task/error.hpp"
#include "core/testing/settle.hpp"
#include "core/testing/test_poller.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace gather::testing {
namespace {

async::Co<> let_all_run() { co_await settle(); }

std::string tasks_left(const async::Loop& loop) {
  const std::size_t tasks = loop.all_tasks().size();
  if (tasks == 0) return {};
  return fmt::format("the test is done and left {} {} waiting:\n{}", tasks, tasks == 1 ? "task" : "tasks",
                     async::describe_tasks(loop));
}

}  // namespace

TestLoop::TestLoop(std::unique_ptr<async::Poller> poller, Limits limits) : limits_(limits) {
  auto watching = std::make_unique<TestPoller>(std::move(poller), limits.time, handles_left_);
  TestPoller& its_poller = *watching;
  loop_ = std::make_unique<async::Loop>(std::move(watching));
  its_poller.set_dump([loop = loop_.get()] { return async::describe_tasks(*loop); });
  loop_->set_exception_handler([this](const async::Complaint& complaint) {
    if (complaint.error)
      untold_.push_back(fmt::format("{}: {}", complaint.message, async::describe(complaint.error)));
    else  // Debug mode's advice, which is nobody's failure.
      std::fprintf(stderr, "gather: %s\n", complaint.message.c_str());
  });
}

void TestLoop::finish() {
  loop_->run_until_complete(let_all_run());
  std::string text = limits_.may_leave_tasks ? "" : tasks_left(*loop_);
  loop_->cancel_all_tasks();
  loop_.reset();
  if (!handles_left_.empty())
    text +=
        fmt::format("the test is done and left open handles of libuv: {}\n", fmt::join(handles_left_, ", "));
  if (!untold_.empty())
    text += fmt::format("an error that nobody was told of: {}\n", fmt::join(untold_, "; "));
  if (!text.empty()) throw TestFailure(text);
}

void TestLoop::abandon() noexcept {
  if (!loop_) return;
  try {
    loop_->cancel_all_tasks();
  } catch (const std::exception& error) {
    give_up(error.what());
  }
  loop_.reset();
  for (const std::string& each : untold_)  // Perhaps the reason why the body failed.
    std::fprintf(stderr, "gather: %s\n", each.c_str());
}

void TestLoop::give_up(const char* why) noexcept {
  std::fprintf(stderr, "gather: the test failed, and what it left does not end when it is cancelled: %s\n",
               why);
  std::abort();
}

}  // namespace gather::testing
