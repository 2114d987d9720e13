/// Children of our own start routine, watched by a pidfd and reaped by us alone.
#include "core/async/loop/watch.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/group.hpp"
#include "core/process/starter.hpp"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <csignal>

namespace gather::process {
namespace {

Duration duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

Exit exit_of(int status) {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status), .core_dumped = WCOREDUMP(status) != 0};
  return {.code = WEXITSTATUS(status)};
}

std::uint64_t peak_bytes(const rusage& usage) {
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  return usage.ru_maxrss > own.ru_maxrss ? static_cast<std::uint64_t>(usage.ru_maxrss) * 1024 : 0;
}

class InProcessChild final : public Child, private async::FdWatch {
 public:
  InProcessChild(async::Loop& loop, const async::StartedChild& child, Bell& ended)
      : pid_(child.pid), pidfd_(child.pidfd), bell_(ended) {
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
  }

  async::Co<bool> alone() override { co_return is_last_of_group(pid_); }
  async::Co<Reaped> reap() override { co_return reap_now(); }

 private:
  void on_events(async::Events) noexcept override {
    stop();
    ended_ = true;
    bell_.ring();
  }

  /// The zombie holds the number of the group until it is reaped, so that no stranger can be hit.
  Reaped reap_now() {
    assert(pid_ > 0);
    stop();
    kill(-pid_, SIGKILL);
    int status = 0;
    rusage usage{};
    while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    pidfd_.reset();
    return {exit_of(status), Usage{.user = duration_of(usage.ru_utime),
                                   .system = duration_of(usage.ru_stime),
                                   .peak_memory_bytes = peak_bytes(usage)}};
  }

  void abandon() noexcept {
    if (pid_ > 0) reap_now();
  }

  pid_t pid_;  // -1 once reaped.
  Descriptor pidfd_;
  Bell& bell_;
  bool ended_ = false;
};

class InProcessStarter final : public Starter {
 public:
  InProcessStarter(async::Loop& loop, async::StartPath path) noexcept : loop_(loop), path_(path) {}

  async::Co<std::expected<std::unique_ptr<Child>, async::StartError>> start(const async::ChildSpec& spec,
                                                                            Bell& ended) override {
    const auto child = start_child(spec, path_);
    if (!child) co_return std::unexpected(child.error());
    co_return std::make_unique<InProcessChild>(loop_, *child, ended);
  }

 private:
  async::Loop& loop_;
  async::StartPath path_;
};

}  // namespace

std::unique_ptr<Starter> make_in_process_starter(async::Loop& loop, async::StartPath path) {
  return std::make_unique<InProcessStarter>(loop, path);
}

}  // namespace gather::process
