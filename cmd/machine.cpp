#include "cmd/machine.hpp"

#include "cmd/settings.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/base/size.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <string_view>

namespace gather::cmd {
namespace {

constexpr auto measurement_holds = std::chrono::milliseconds(100);

/// A process younger than this when it is measured may still be at its exec, and not show; so it is counted
/// on top.
constexpr auto shows_after = std::chrono::milliseconds(100);

[[noreturn]] void refuse(const Given& given, std::string_view what) {
  throw Error(ExitStatus::usage, fmt::format("{}: {}", given.origin, what));
}

double load(const Given& given) {
  std::string_view text = given.value;
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !(value > 0) || value > 1e6)
    refuse(given,
           fmt::format("{} is no load; write a number above 0, or N% of the CPUs", in_quotes(given.value)));
  return percent ? value / 100 * static_cast<double>(usable_cpus()) : value;
}

// As parallel has it: a capital without more is a power of 1,024.
std::uint64_t size(const Given& given) {
  constexpr std::string_view capitals = "KMGT";
  const bool of_1024 = given.value.size() > 1 && capitals.contains(given.value.back());
  const auto bytes = parse_size(of_1024 ? given.value + "i" : given.value);
  if (!bytes || *bytes == 0)
    refuse(given, fmt::format("{} is no size; {}", in_quotes(given.value), size_examples));
  return *bytes;
}

}  // namespace

std::unique_ptr<SystemMachine> SystemMachine::of(const std::optional<Given>& max_load,
                                                 const std::optional<Given>& min_free_mem) {
  if (!max_load && !min_free_mem) return nullptr;
  auto machine = std::make_unique<SystemMachine>();
  if (max_load) {
    machine->most_running_ = load(*max_load);
    if (!running_on_machine()) refuse(*max_load, "/proc/loadavg does not tell how many processes run");
  }
  if (min_free_mem) {
    machine->least_free_ = size(*min_free_mem);
    if (!free_memory()) refuse(*min_free_mem, "/proc/meminfo does not tell how much memory is free");
  }
  return machine;
}

bool SystemMachine::has_room() {
  if (const auto now = Clock::now(); now - measured_at_ >= measurement_holds) {
    measured_at_ = now;
    while (!started_at_.empty() && now - started_at_.front() >= shows_after) started_at_.pop_front();
    if (most_running_) running_ = running_on_machine().value_or(0);
    if (least_free_) free_ = free_memory().value_or(*least_free_);
  }
  if (most_running_ && running_ + static_cast<double>(started_at_.size()) >= *most_running_) return false;
  return !least_free_ || free_ >= *least_free_;
}

std::optional<double> running_on_machine() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/loadavg", "re"), &std::fclose);
  unsigned long running = 0;
  if (!file || std::fscanf(file.get(), "%*f %*f %*f %lu/", &running) != 1) return std::nullopt;
  return running == 0 ? 0 : static_cast<double>(running - 1);
}

std::optional<std::uint64_t> free_memory() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/meminfo", "re"), &std::fclose);
  char line[128];
  unsigned long long kilobytes = 0;
  while (file && std::fgets(line, sizeof line, file.get()) != nullptr)
    if (std::sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1) return std::uint64_t{kilobytes} * 1024;
  return std::nullopt;
}

}  // namespace gather::cmd
