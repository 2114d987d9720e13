#include "core/process/launcher/answer.hpp"

#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"

#include <utility>

namespace gather::process::launcher {

Answer::Wait Answer::wait() noexcept { return Wait(*this); }

void Answer::arrive() noexcept {
  come_ = true;
  if (Wait* const waiter = std::exchange(waiter_, nullptr)) waiter->complete();
}

async::Co<> await(Answer& answer) {
  bool cancelled = false;
  while (!answer.has_come()) {
    try {
      co_await answer.wait();
    } catch (const async::Cancelled&) {
      cancelled = true;
    }
  }
  if (!cancelled) co_return;
  async::TaskCell& task = co_await async::this_task();
  task.cancel();  // Anew, and not counted twice.
  task.uncancel();
}

}  // namespace gather::process::launcher
