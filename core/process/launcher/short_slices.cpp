#include "core/process/launcher/short_slices.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gather::process::launcher {
namespace {

/// The kernel's sched_attr in its first version, which libraries do not declare.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

}  // namespace

void ask_for_short_slices() noexcept {
  constexpr std::uint64_t shortest_ns = 100'000;
  constexpr std::uint64_t reset_on_fork = 1;
  SchedulingAttributes attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  // Children must have what gather has; and the reset would take a raised priority from them.
  if (attributes.policy != SCHED_OTHER || attributes.nice < 0 || attributes.flags != 0) return;
  attributes.flags = reset_on_fork;
  attributes.runtime_ns = shortest_ns;
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace gather::process::launcher
