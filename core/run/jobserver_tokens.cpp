#include "core/run/jobserver_tokens.hpp"

#include <utility>

namespace gather::run {

void JobserverTokens::ready() {
  if (std::exchange(ready_, true) || !come_) return;
  start(loop_, jobserver_.descriptor(), async::Events::readable);
}

void JobserverTokens::watch(std::function<void()> come) {
  come_ = std::move(come);
  if (!come_)
    stop();
  else if (ready_)
    start(loop_, jobserver_.descriptor(), async::Events::readable);
}

void JobserverTokens::nothing_runs() {
  if (!jobserver_.is_ours()) return;
  const std::size_t before = jobserver_.lost();
  jobserver_.restore();
  if (jobserver_.lost() > before && lost_) lost_(jobserver_.lost() - before);
}

// Not from here: who is called starts tasks.
void JobserverTokens::on_events(async::Events) noexcept {
  if (std::exchange(called_, true)) return;
  call_ = loop_.call_soon([this] {
    called_ = false;
    if (come_) come_();
  });
}

}  // namespace gather::run
