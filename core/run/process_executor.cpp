#include "core/run/process_executor.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/task/error.hpp"
#include "core/process/foreground.hpp"
#include "core/run/spooled_output.hpp"
#include "core/run/task_outputs.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <ranges>

namespace gather::run {
namespace {

constexpr std::string_view own_prefix = "GATHER_";

std::vector<std::string> argv_of(const job::Run& run, int slot) {
  std::vector<std::string> argv = run.argv;
  // From the last to the first, so that the offsets of the others stay right.
  for (const auto& place : std::views::reverse(run.slots))
    argv[place.word].insert(place.offset, fmt::to_string(slot));
  return argv;
}

/// One stream of an attempt, on its way to who shows it.
class Passing final : public process::Listener {
 public:
  Passing(LiveOutput& to, job::TaskId id, Stream stream) noexcept : to_(to), id_(id), stream_(stream) {}
  void wrote(std::string_view piece) noexcept override { to_.attempt_wrote(id_, stream_, piece); }

 private:
  LiveOutput& to_;
  job::TaskId id_;
  Stream stream_;
};

constexpr std::size_t end_kept = std::size_t{16} * 1024;  // Of a stream that is passed on, or asked about.

Outcome outcome_of(const std::expected<process::Exit, async::StartError>& exit) {
  if (!exit) return NotStarted{exit.error().why};
  if (exit->signal != 0) return Signalled{exit->signal, exit->core_dumped};
  if (exit->code != 0) return Exited{exit->code};
  return Passed{};
}

}  // namespace

ProcessExecutor::ProcessExecutor(std::vector<std::string> inherited, std::string launcher_program)
    : inherited_(std::move(inherited)), launcher_program_(std::move(launcher_program)) {
  std::erase_if(inherited_, [](const std::string& entry) { return entry.starts_with(own_prefix); });
}

ProcessExecutor::~ProcessExecutor() = default;

async::Co<std::vector<LeftProcess>> ProcessExecutor::clean_up() {
  std::vector<LeftProcess> left;
  if (starter_)
    for (process::Leftover& one : co_await starter_->sweep())
      left.push_back({std::move(one.task), one.pid, std::move(one.command), one.stays});
  co_return left;
}

void ProcessExecutor::share(const process::Jobserver* jobserver, std::function<void()> ready) {
  common_of_.clear();
  const char* const before = async::find_variable(inherited_, "MAKEFLAGS");
  const std::string flags = before == nullptr ? "" : before;
  if (jobserver == nullptr && !process::jobserver_of(flags)) return;
  async::set_variable(inherited_, "MAKEFLAGS",
                      jobserver == nullptr ? process::without_jobserver(flags) : jobserver->makeflags(flags));
  jobserver_ = jobserver;
  jobserver_ready_ = std::move(ready);
}

void ProcessExecutor::pause() noexcept {
  if (starter_) starter_->pause();
}

void ProcessExecutor::resume() noexcept {
  if (starter_) starter_->resume();
}

void ProcessExecutor::last_output(job::TaskId id, Stream stream, const Output::Sink& sink) const {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  (stream == Stream::out ? found->second->out : found->second->err).read_end(end_kept, sink);
}

const async::Environment& ProcessExecutor::common_environment(const AttemptContext& context) {
  if (common_of_.empty() || common_of_ != context.run_id) {
    auto variables = std::make_shared<async::Environment::Variables>(inherited_);
    for (const auto& [name, value] : context.job.env) async::set_variable(*variables, name, value);
    common_ = async::Environment(std::move(variables));
    common_of_ = context.run_id;
  }
  return common_;
}

async::ChildSpec ProcessExecutor::spec_for(const AttemptContext& context) {
  const job::Task& task = context.task();
  async::ChildSpec spec;
  if (const auto* run = std::get_if<job::Run>(&task.action))
    spec.argv = argv_of(*run, context.slot);
  else
    spec.argv = {"sh", "-e", "-c", std::get<job::Shell>(task.action).script};
  spec.directory = (context.job.directory / task.cwd.value_or("")).string();
  spec.environment = common_environment(context);
  for (const auto& [name, value] : task.env) spec.environment.set(name, value);
  spec.environment.set(process::task_variable, task.id);
  spec.environment.set(process::attempt_variable, fmt::to_string(context.number));
  spec.environment.set("GATHER_RUN_ID", context.run_id);
  spec.environment.set("GATHER_SLOT", fmt::to_string(context.slot));
  return spec;
}

std::optional<Outcome> ProcessExecutor::open_input(const AttemptContext& context, async::ChildSpec& spec,
                                                   process::Descriptor& opened) const {
  if (input_) spec.stdin_fd = input_(context.id);
  if (inputs_ == nullptr || !context.task().input) return std::nullopt;
  auto input = inputs_->open(context.task());
  if (!input) return NotStarted{std::move(input.error())};
  opened = std::move(*input);
  if (opened) spec.stdin_fd = opened.get();
  return std::nullopt;
}

async::Co<std::expected<process::Exit, async::StartError>> ProcessExecutor::in_foreground(
    async::ChildSpec spec, const process::StopPolicy& policy, process::ProcessResult& result) {
  const auto guard = co_await foreground_.scoped();
  struct Lent {
    const std::function<void(bool)>& tell;
    explicit Lent(const std::function<void(bool)>& call) : tell(call) {
      if (tell) tell(true);
    }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    ~Lent() {
      if (tell) tell(false);
    }
  } const lent(foreground_changes_);
  co_return co_await process::run_in_foreground(std::move(spec), policy, result,
                                                [this](pid_t pid) { return starter_->owns(pid); });
}

async::Co<> ProcessExecutor::attempt(const AttemptContext& context, AttemptResult& result) {
  if (!starter_) {
    starter_ = process::make_starter((co_await async::this_task()).loop(), process::StartPath::automatic,
                                     launcher_program_);
    if (jobserver_ != nullptr) starter_->share(jobserver_->shared(), jobserver_ready_);
  }
  async::ChildSpec spec = spec_for(context);
  process::Descriptor input;
  if (auto missing = open_input(context, spec, input)) {
    result.outcome = *std::move(missing);
    co_return;
  }
  const process::StopPolicy policy{.signal = &context.stop_signal,
                                   .grace = context.task().grace,
                                   .leave = context.task().leave,
                                   .isolate = context.task().isolate};
  process::ProcessResult process;
  std::optional<Passing> out;
  std::optional<Passing> err;
  process::Listeners listeners;
  if (live_ != nullptr) {
    listeners = {&out.emplace(*live_, context.id, Stream::out), &err.emplace(*live_, context.id, Stream::err),
                 valve_};
    const bool is_read = (inputs_ != nullptr && inputs_->is_read(context.id)) || needs_text(context.task());
    if (!keep_all_ && !is_read) process.out = process::Spool(end_kept, process::Spool::Beyond::dropped);
    if (!keep_all_) process.err = process::Spool(end_kept, process::Spool::Beyond::dropped);
  }
  running_.emplace(context.id, &process);
  bool cancelled = false;
  try {
    if (context.task().tty)
      result.outcome = outcome_of(co_await in_foreground(std::move(spec), policy, process));
    else
      result.outcome =
          outcome_of(co_await process::run_process(*starter_, std::move(spec), policy, process, listeners));
  } catch (const async::Cancelled&) {
    cancelled = true;
  }
  running_.erase(context.id);
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
  if (context.task().outputs && passed(result.outcome)) {
    auto values = co_await outputs_of(context.task(), Given{result.out});
    if (values)
      result.values = std::move(*values);
    else
      result.outcome = std::move(values.error());
  }
}

}  // namespace gather::run
