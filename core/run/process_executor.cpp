#include "core/run/process_executor.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/task/error.hpp"
#include "core/process/run_process.hpp"
#include "core/run/spooled_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace gather::run {
namespace {

constexpr std::string_view own_prefix = "GATHER_";

void set(std::vector<std::string>& environment, std::string_view name, std::string_view value) {
  std::string entry;
  entry.reserve(name.size() + 1 + value.size());
  entry.append(name).append(1, '=').append(value);
  const auto place = std::ranges::find_if(environment, [&](const std::string& other) {
    return other.size() > name.size() && other[name.size()] == '=' && other.starts_with(name);
  });
  if (place == environment.end())
    environment.push_back(std::move(entry));
  else
    *place = std::move(entry);
}

std::vector<std::string> argv_of(const job::Run& run, int slot) {
  std::vector<std::string> argv = run.argv;
  // From the last to the first, so that the offsets of the others stay right.
  for (const auto& place : std::views::reverse(run.slots))
    argv[place.word].insert(place.offset, fmt::to_string(slot));
  return argv;
}

Outcome outcome_of(const std::expected<process::Exit, async::StartError>& exit) {
  if (!exit) return NotStarted{exit.error().why};
  if (exit->signal != 0) return Signalled{exit->signal, exit->core_dumped};
  if (exit->code != 0) return Exited{exit->code};
  return Passed{};
}

}  // namespace

ProcessExecutor::ProcessExecutor(std::vector<std::string> inherited) : inherited_(std::move(inherited)) {
  std::erase_if(inherited_, [](const std::string& entry) { return entry.starts_with(own_prefix); });
}

ProcessExecutor::~ProcessExecutor() = default;

async::ChildSpec ProcessExecutor::spec_for(const AttemptContext& context) const {
  const job::Task& task = context.task();
  async::ChildSpec spec;
  if (const auto* run = std::get_if<job::Run>(&task.action))
    spec.argv = argv_of(*run, context.slot);
  else
    spec.argv = {"sh", "-e", "-c", std::get<job::Shell>(task.action).script};
  spec.directory = (context.job.directory / task.cwd.value_or("")).string();
  spec.stdin_fd = null_.get();
  constexpr std::size_t ours = 4;
  spec.environment.reserve(inherited_.size() + context.job.env.size() + task.env.size() + ours);
  spec.environment.insert(spec.environment.end(), inherited_.begin(), inherited_.end());
  for (const auto* list : {&context.job.env, &task.env})
    for (const auto& [name, value] : *list) set(spec.environment, name, value);
  set(spec.environment, "GATHER_TASK", task.id);
  set(spec.environment, "GATHER_ATTEMPT", fmt::to_string(context.number));
  set(spec.environment, "GATHER_RUN_ID", context.run_id);
  set(spec.environment, "GATHER_SLOT", fmt::to_string(context.slot));
  return spec;
}

async::Co<> ProcessExecutor::attempt(const AttemptContext& context, AttemptResult& result) {
  if (!starter_) {
    starter_ = process::make_starter((co_await async::this_task()).loop());
    // Should it fail, each child opens its own.
    null_ = process::Descriptor(open("/dev/null", O_RDWR | O_CLOEXEC));
  }
  const process::StopPolicy policy{.signal = &context.stop_signal, .grace = context.task().grace};
  process::ProcessResult process;
  bool cancelled = false;
  try {
    result.outcome = outcome_of(co_await process::run_process(*starter_, spec_for(context), policy, process));
  } catch (const async::Cancelled&) {
    cancelled = true;
  }
  result.killed = process.killed;
  result.leaked = process.leaked;
  if (process.usage)
    result.usage =
        Usage{process.usage->user, process.usage->system,
              process.usage->peak_memory_bytes == 0 ? std::nullopt
                                                    : std::optional(process.usage->peak_memory_bytes)};
  if (const auto& lost = process.lost_output(); lost && passed(result.outcome))
    result.outcome = LocalFailure{fmt::format("its output could not be kept: {}", *lost)};
  result.out = output(std::move(process.out));
  result.err = output(std::move(process.err));
  if (cancelled) throw async::Cancelled{};
}

}  // namespace gather::run
