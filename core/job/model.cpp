#include "core/job/model.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>

namespace gather::job {
namespace {

/// CPUs in this process's affinity mask; the kernel refuses a mask too small for the machine, so it grows.
std::size_t usable_cpus() {
  for (std::size_t cpus = 1024; cpus <= (1u << 20); cpus *= 2) {
    const auto free = [](cpu_set_t* set) { CPU_FREE(set); };
    const std::unique_ptr<cpu_set_t, decltype(free)> set(CPU_ALLOC(cpus), free);
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (set != nullptr && ::sched_getaffinity(0, bytes, set.get()) == 0)
      return static_cast<std::size_t>(CPU_COUNT_S(bytes, set.get()));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

std::string_view name(FailureKind kind) {
  constexpr std::array<std::string_view, 6> names{"exit", "signal", "timeout", "start", "expect", "http"};
  return names[static_cast<std::size_t>(kind)];
}

std::size_t Limits::default_processes() { return usable_cpus() + 2; }

}  // namespace gather::job
