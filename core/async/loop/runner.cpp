#include "core/async/loop/runner.hpp"

#include "core/async/io/signal.hpp"
#include "core/async/loop/task_tree.hpp"
#include "core/async/task/error.hpp"

#include <signal.h>

#include <cstdio>

namespace gather::async {
namespace {

bool has_default_action(int number) {
  struct sigaction action{};
  return sigaction(number, nullptr, &action) == 0 && (action.sa_flags & SA_SIGINFO) == 0 &&
         action.sa_handler == SIG_DFL;
}

}  // namespace

Runner::Runner() : Runner(Options{}) {}

Runner::Runner(Options options)
    : loop_(options.poller ? std::make_unique<Loop>(std::move(options.poller)) : std::make_unique<Loop>()),
      handle_interrupts_(options.handle_interrupts) {
  if (options.debug) loop_->set_debug(*options.debug);
}

Runner::~Runner() { close(); }

void Runner::check_open() const {
  if (!loop_) throw InvalidState("the runner is closed");
  if (Loop::running() != nullptr) throw InvalidState("a loop is running on this thread already");
}

void Runner::run_main(const AnyTask& main) {
  const bool real = !loop_->poller().is_virtual();
  bool interrupted = false;
  std::optional<SignalWatch> interrupt;
  std::optional<SignalWatch> dump;
  if (real && handle_interrupts_ && has_default_action(SIGINT))
    interrupt.emplace(*loop_, SIGINT, [&](int) {
      interrupted = main.cancel();
      interrupt.reset();
    });
  if (real && loop_->debug() && has_default_action(SIGUSR2))
    dump.emplace(*loop_, SIGUSR2, [&](int) { std::fputs(describe_tasks(*loop_).c_str(), stderr); });
  loop_->run_until_complete(static_cast<const AnyFuture&>(main));
  if (interrupted && main.cancelled() && main.uncancel() == 0) throw Interrupted{};
}

void Runner::close() {
  if (!loop_) return;
  loop_->cancel_all_tasks();
  loop_.reset();
}

}  // namespace gather::async
