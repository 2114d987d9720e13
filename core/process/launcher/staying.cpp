#include "core/process/launcher/staying.hpp"

#include "core/process/proc.hpp"
#include "core/process/starter.hpp"
#include "core/process/sweep.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <string_view>

namespace gather::process::launcher {

namespace {

std::string name_of(std::string_view task, std::string_view number) {
  return task.empty() ? std::string() : fmt::format("{}\n{}", task, number);
}

}  // namespace

void Staying::add(pid_t leader, const std::string& attempt) {
  sessions_.insert(leader);
  if (!attempt.empty()) attempts_.insert(attempt);
}

std::string Staying::attempt_of(const async::Environment& environment) {
  const auto value = [&](std::string_view name) -> std::string_view {
    const char* const text = environment.find(name);
    return text == nullptr ? "" : text;
  };
  return name_of(value(task_variable), value(attempt_variable));
}

bool Staying::contains(pid_t pid) const {
  if (sessions_.empty()) return false;
  if (sessions_.contains(pid)) return true;
  const std::string environment = environment_of(pid);
  return attempts_.contains(
      name_of(variable_in(environment, task_variable), variable_in(environment, attempt_variable)));
}

std::vector<pid_t> Staying::alive() const {
  std::vector<pid_t> result;
  if (sessions_.empty()) return result;
  for (const pid_t pid : descendants())
    if (contains(pid) || contains(getsid(pid))) result.push_back(pid);
  return result;
}

}  // namespace gather::process::launcher
