#include "core/async/io/child_watch.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/error.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

namespace gather::async {
namespace {

constexpr int unknown_returncode = 255;

bool send(const Descriptor& pidfd, int number) noexcept {
  return syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0u) == 0;
}

void check(bool sent) {
  if (!sent && errno != ESRCH) throw std::system_error(errno, std::generic_category(), "can't send a signal");
}

}  // namespace

ChildWatch::ChildWatch(Loop& loop, const StartedChild& child, bool leads_group)
    : loop_(loop), pid_(child.pid), pidfd_(child.pidfd), leads_group_(leads_group) {
  try {
    start(loop, pidfd_.get(), Events::readable);
  } catch (...) {  // No destructor runs after a constructor that threw.
    if (kill_now()) reap(0);
    throw;
  }
}

ChildWatch::~ChildWatch() {
  stop();  // Before the descriptor goes.
  if (!returncode_ && kill_now()) reap(0);
}

bool ChildWatch::signal(int number) {
  if (returncode_) return false;
  const bool sent = send(pidfd_, number);
  check(sent);
  return sent;
}

bool ChildWatch::signal_group(int number) {
  if (!leads_group_) return signal(number);
  if (returncode_) return false;
  const bool sent = kill(-pid_, number) == 0;
  check(sent);
  return sent;
}

void ChildWatch::abandon(std::unique_ptr<ChildWatch> child) noexcept {
  if (!child || child->returncode_) return;
  child->kill_now();
  try {
    Loop& loop = child->loop_;
    const std::string name = "reaper of process " + std::to_string(child->pid_);
    loop.create_task(reap_later(std::move(child)), name);
  } catch (...) {
    // No memory for a task: the destructor has done it, standing.
  }
}

/// A child that was killed ends soon, so a cancel only waits its turn.
Co<> ChildWatch::reap_later(std::unique_ptr<ChildWatch> child) {
  bool cancelled = false;
  while (!child->returncode_) {
    try {
      co_await child->wait();
    } catch (const Cancelled&) {
      if (!child->kill_now()) throw;
      cancelled = true;
    }
  }
  if (cancelled) throw Cancelled{};
}

void ChildWatch::on_events(Events) noexcept {
  if (!reap(WNOHANG)) return;  // A tracer has yet to let go of it.
  stop();
  pidfd_.reset();
  waiters_.complete_all();
}

bool ChildWatch::kill_now() noexcept {
  return (leads_group_ ? kill(-pid_, SIGKILL) == 0 : send(pidfd_, SIGKILL)) || errno != EPERM;
}

bool ChildWatch::reap(int options) noexcept {
  int status = 0;
  pid_t reaped = 0;
  do reaped = waitpid(pid_, &status, options);
  while (reaped < 0 && errno == EINTR);
  if (reaped == 0) return false;
  returncode_ = reaped < 0            ? unknown_returncode
                : WIFSIGNALED(status) ? -WTERMSIG(status)
                                      : WEXITSTATUS(status);
  return true;
}

}  // namespace gather::async
