#include "cmd/settings.hpp"

#include "cmd/host_flags.hpp"
#include "cmd/slots_file.hpp"
#include "core/base/duration.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/job/check/schema.hpp"
#include "core/job/percent.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <random>

namespace gather::cmd {
namespace {

[[noreturn]] void refuse(const Given& given, std::string_view what) {
  throw Error(ExitStatus::usage, fmt::format("{}: {}", given.origin, what));
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

run::Schedule schedule(const Given& given) {
  if (given.value == "rank") return run::Schedule::rank;
  if (given.value == "fifo") return run::Schedule::fifo;
  if (given.value == "lpt") return run::Schedule::lpt;
  refuse(given, fmt::format("{} is no schedule; one of rank, fifo, lpt", in_quotes(given.value)));
}

void set_retries(job::Job& job, std::uint64_t retries) {
  for (job::Task& task : job.tasks) {
    job::RetryPolicy policy = *task.retry;
    policy.attempts = static_cast<int>(retries) + 1;
    task.retry = std::make_shared<const job::RetryPolicy>(std::move(policy));
  }
}

/// `--pool NAME=N`, over the file's size. The pool.
job::PoolId set_pool(const Given& given, job::Job& job) {
  const std::string_view text = given.value;
  const std::size_t equals = std::min(text.rfind('='), text.size());
  const auto size = equals < text.size() ? number(text.substr(equals + 1)) : std::nullopt;
  if (!size || *size < 1 || *size > 1'000'000'000)
    refuse(given, fmt::format("{} sets no pool's size; write NAME=N with N of at least 1", in_quotes(text)));
  const std::string_view name = text.substr(0, equals);
  std::vector<job::Pool>& pools = job.limits.pools;
  const auto pool = std::ranges::find(pools, name, &job::Pool::name);
  if (pool == pools.end()) {
    std::vector<std::string_view> names;
    for (const job::Pool& each : pools) names.push_back(each.name);
    const std::string hint = job::did_you_mean(name, names);
    refuse(given, fmt::format("the job has no pool {}; {}", in_quotes(name),
                              !hint.empty()   ? hint
                              : names.empty() ? "it has none at all"
                                              : "it has " + job::listed(names)));
  }
  pool->size = *size;
  return static_cast<job::PoolId>(pool - pools.begin());
}

/// The sizes of pools, and where each came from.
void set_pools(const std::vector<Given>& flags, job::Job& job, Settings& settings) {
  std::vector<job::Pool>& pools = job.limits.pools;
  std::vector<const Given*> set_by(pools.size());
  for (const Given& pool : flags) set_by[job::index(set_pool(pool, job))] = &pool;
  for (const job::Task& task : job.tasks)
    for (const job::PoolShare& share : task.pools)
      if (const job::Pool& pool = pools[job::index(share.pool)]; share.units > pool.size)
        refuse(*set_by[job::index(share.pool)],
               fmt::format("task {} takes {} of pool {}, and could never start; give the pool more",
                           inert(task.id), share.units, in_quotes(pool.name)));
  for (std::size_t i = 0; i < pools.size(); ++i)
    settings.origins.push_back(fmt::format("pool {} {} ({})", inert(pools[i].name), pools[i].size,
                                           set_by[i] != nullptr ? set_by[i]->origin : "job file"));
  settings.run.limits.pools = pools;
}

bool variable_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

}  // namespace

std::uint64_t whole_number(const Given& given, std::uint64_t least) {
  const auto value = number(given.value);
  if (!value || *value < least || *value > 1'000'000'000)
    refuse(given, fmt::format("{} is no whole number of at least {}", in_quotes(given.value), least));
  return *value;
}

std::size_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<std::size_t>(CPU_COUNT(&set)) : 1;
}

TimeLimit attempt_limit(const Given& given) {
  if (!given.value.ends_with('%')) return {time_limit(given)};
  const auto percent = job::parse_timeout_percent(given.value);
  if (!percent) refuse(given, percent.error());
  return {std::nullopt, *percent};
}

// N, N% of the CPUs, or -N: all CPUs but N. Never less than one, as make and parallel have it.
std::size_t slots(const Given& given) {
  const std::string_view text = given.value;
  if (auto file = SlotsFile::of(given)) return file->read();
  if (text.ends_with('%')) {
    const auto percent = number(text.substr(0, text.size() - 1));
    if (percent && *percent > 0 && *percent <= 10'000)
      return std::max<std::size_t>(1, usable_cpus() * *percent / 100);
  } else if (text.starts_with('-')) {
    const auto spared = number(text.substr(1));
    if (spared) return usable_cpus() > *spared ? usable_cpus() - *spared : 1;
  } else if (const auto exact = number(text)) {
    if (*exact == 0) refuse(given, "0 slots would run nothing; give at least 1");
    if (*exact <= 1'000'000) return *exact;
  }
  refuse(given, fmt::format("{} is no number of slots; write N, N% of the CPUs, or -N for all CPUs but N",
                            in_quotes(given.value)));
}

Duration duration(const Given& given) {
  const auto length = parse_duration(given.value);
  if (!length) refuse(given, length.error());
  return *length;
}

Duration time_limit(const Given& given) {
  const Duration length = duration(given);
  if (length == Duration(0)) refuse(given, "a time limit of 0 would stop everything; leave it out for none");
  return length;
}

std::optional<run::Halt> halt(const Given& given) {
  auto read = run::parse_halt(given.value);
  if (!read) refuse(given, read.error());
  return *read;
}

Settings settle(const JobFlags& flags, job::Job& job) {
  Settings settings;
  std::vector<job::HostLimit> hosts = job.limits.hosts;
  std::vector<std::string> host_origins(hosts.size(), "job file");
  for (const Given& host : flags.hosts) {
    const job::HostPattern pattern = set_host(host, hosts);
    host_origins.resize(hosts.size());
    const auto changed = std::ranges::find(hosts, pattern, &job::HostLimit::pattern);
    host_origins[static_cast<std::size_t>(changed - hosts.begin())] = host.origin;
  }
  const auto from = [&](const std::string& what, const std::string& value,
                        const std::optional<Given>& given) {
    settings.origins.push_back(
        fmt::format("{} {} ({})", what, value, given ? given->origin : "job file or default"));
  };
  if (flags.sync) {
    settings.run.limits = {1, 1, 1};
    settings.origins.push_back("jobs 1, processes 1, fetches 1 (--sync)");
  } else {
    settings.run.limits = {job.limits.jobs, job.limits.processes, job.limits.fetches};
    if (flags.jobs) {
      const std::size_t all = slots(*flags.jobs);
      settings.run.limits = {all, all, all};
    }
    from("jobs", fmt::to_string(settings.run.limits.jobs), flags.jobs);
    from("processes", fmt::to_string(settings.run.limits.processes), flags.jobs);
    from("fetches", fmt::to_string(settings.run.limits.fetches), flags.jobs);
  }
  for (std::size_t i = 0; i < hosts.size(); ++i)
    settings.origins.push_back(fmt::format("host {} ({})", job::spell(hosts[i]), host_origins[i]));
  settings.run.limits.hosts = std::move(hosts);
  set_pools(flags.pools, job, settings);
  if (flags.max_load) from("load", flags.max_load->value, flags.max_load);
  if (flags.min_free_mem) from("free memory", flags.min_free_mem->value, flags.min_free_mem);
  if (flags.timeout) {
    const TimeLimit limit = attempt_limit(*flags.timeout);
    for (job::Task& task : job.tasks) limit.put_into(task);
    from("timeout of every task", limit.length ? spell(*limit.length) : flags.timeout->value, flags.timeout);
  }
  settings.run.deadline = flags.deadline ? time_limit(*flags.deadline) : job.deadline;
  from("deadline", settings.run.deadline ? spell(*settings.run.deadline) : "none", flags.deadline);
  if (flags.retries) {
    set_retries(job, whole_number(*flags.retries, 0));
    from("retries of every task", flags.retries->value, flags.retries);
  }
  if (flags.schedule) settings.run.order.schedule = schedule(*flags.schedule);
  from("schedule", flags.schedule ? flags.schedule->value : "rank", flags.schedule);
  settings.seed = std::random_device()();
  if (flags.shuffle) {
    if (!flags.shuffle->value.empty()) settings.seed = whole_number(*flags.shuffle, 0);
    settings.run.order.shuffle_seed = settings.seed;
    from("shuffle seed", fmt::to_string(settings.seed), flags.shuffle);
  }
  if (flags.halt) {
    settings.run.halt = halt(*flags.halt);
    from("halt", flags.halt->value, flags.halt);
  }
  if (flags.fail_fast) settings.run.halt = run::Halt{};
  return settings;
}

run::Options one_at_a_time(run::Options options) {
  options.limits.jobs = options.limits.processes = options.limits.fetches = 1;  // Rates and pools hold, too.
  return options;
}

report::Colour colour(const std::optional<Given>& flag) {
  const std::string choice = flag ? flag->value : "auto";
  if (choice == "always") return report::Colour::on;
  if (choice == "never") return report::Colour::off;
  if (choice != "auto") refuse(*flag, fmt::format("{}: one of auto, always, never", in_quotes(choice)));
  const char* const no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return report::Colour::off;
  if (variable_set("CLICOLOR_FORCE")) return report::Colour::on;
  return isatty(STDERR_FILENO) == 1 ? report::Colour::on : report::Colour::off;
}

report::Verbosity verbosity(const JobFlags& flags) {
  if (flags.verbose > 0) return report::Verbosity::verbose;
  return flags.quiet ? report::Verbosity::quiet : report::Verbosity::normal;
}

}  // namespace gather::cmd
