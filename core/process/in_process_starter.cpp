/// Children of our own start routine, watched by a pidfd and reaped by us alone.
#include "core/async/loop/watch.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/group.hpp"
#include "core/process/reap.hpp"
#include "core/process/starter.hpp"

#include <sys/types.h>

#include <cassert>
#include <csignal>

namespace gather::process {
namespace {

class InProcessChild final : public Child, private async::FdWatch {
 public:
  InProcessChild(async::Loop& loop, const async::StartedChild& child, Bell& ended, bool leave)
      : pid_(child.pid), pidfd_(child.pidfd), bell_(ended), leave_(leave) {
    try {
      start(loop, pidfd_.get(), async::Events::readable);
    } catch (...) {  // No destructor runs after a constructor that threw.
      abandon();
      throw;
    }
  }
  ~InProcessChild() override { abandon(); }

  bool ended() const noexcept override { return ended_; }

  void signal(int number) noexcept override {
    if (pid_ > 0) kill(-pid_, number);
    leave_ = false;
  }

  async::Co<bool> alone() override { co_return is_last_of_group(pid_); }
  async::Co<Reaped> reap() override { co_return reap_now(leave_ && ended_well(pid_)); }

 private:
  void on_events(async::Events) noexcept override {
    stop();
    ended_ = true;
    bell_.ring();
  }

  /// The zombie holds the number of the group until it is reaped, so that no stranger can be hit.
  Reaped reap_now(bool leave = false) {
    assert(pid_ > 0);
    stop();
    if (!leave) kill(-pid_, SIGKILL);
    const Reaped reaped = reap_child(pid_);
    pid_ = -1;
    pidfd_.reset();
    return reaped;
  }

  void abandon() noexcept {
    if (pid_ > 0) reap_now();
  }

  pid_t pid_;  // -1 once reaped.
  Descriptor pidfd_;
  Bell& bell_;
  bool leave_;
  bool ended_ = false;
};

class InProcessStarter final : public Starter {
 public:
  InProcessStarter(async::Loop& loop, async::StartPath path) noexcept : loop_(loop), path_(path) {}

  async::Co<std::expected<std::unique_ptr<Child>, async::StartError>> start(const async::ChildSpec& spec,
                                                                            Bell& ended,
                                                                            ChildPolicy policy) override {
    if (policy.isolate) co_return std::unexpected(explain_no_isolation());
    const auto child = start_child(spec, path_, passed_);
    if (!child) co_return std::unexpected(child.error());
    co_return std::make_unique<InProcessChild>(loop_, *child, ended, policy.leave);
  }

  // Should this process be killed, nobody is left to give tokens back.
  void share(const SharedJobserver& jobserver, std::function<void()> ready) override {
    passed_ = jobserver.passed();
    ready();
  }

 private:
  async::Loop& loop_;
  async::StartPath path_;
  std::vector<async::PassedDescriptor> passed_;
};

}  // namespace

std::unique_ptr<Starter> make_in_process_starter(async::Loop& loop, async::StartPath path) {
  return std::make_unique<InProcessStarter>(loop, path);
}

}  // namespace gather::process
