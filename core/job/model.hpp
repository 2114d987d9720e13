/// A job as plain data: what the file says, checked and with defaults filled in. Knows no parser and no loop.
#pragma once

#include "core/base/duration.hpp"
#include "core/job/fetch.hpp"
#include "core/job/hosts.hpp"
#include "core/job/templates/outputs.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gather::job {

class Stencil;

/// A task's place in file order, from 0. Orders tasks wherever nothing else does.
enum class TaskId : std::uint32_t {};

constexpr std::size_t index(TaskId id) { return static_cast<std::size_t>(id); }

/// Where something stands in the job file; both count from 1, columns in characters. 0 is "nowhere".
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  friend bool operator==(const Position&, const Position&) = default;
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// Only its `needs` matter: it passes as soon as they have, and takes no slot.
struct Milestone {};

struct Sleep {
  Duration length{};
};

/// A program and its arguments; no shell reads them. Never empty.
struct Run {
  /// Where the number of the slot is put in when it is known; in order.
  struct SlotPlace {
    std::size_t word;
    std::size_t offset;  ///< In bytes, in the word as it stands in `argv`.
  };

  std::vector<std::string> argv;
  std::vector<SlotPlace> slots = {};
};

/// A script for `sh -e -c`.
struct Shell {
  std::string script;
};

/// Fetch is boxed: it is ten times the size of the others, and a job may have a million tasks.
using Action = std::variant<Milestone, Sleep, Run, Shell, std::unique_ptr<const Fetch>>;

/// What kind of ending a retry answers to; the words of `retry.on`.
enum class FailureKind : std::uint8_t { exit, signal, timeout, start, expect, http };

/// The words of `retry.on`, in the order of the enumeration.
std::string_view name(FailureKind kind);

enum class Backoff : std::uint8_t { exponential, fixed };

/// When and how often an attempt is repeated. Shared between tasks that say the same.
struct RetryPolicy {
  int attempts = 1;  ///< In total, the first included; at least 1.
  Duration delay = std::chrono::milliseconds(500);
  Duration max_delay = std::chrono::seconds(30);
  Backoff backoff = Backoff::exponential;
  bool jitter = true;
  std::vector<FailureKind> on = {FailureKind::exit,  FailureKind::signal, FailureKind::timeout,
                                 FailureKind::start, FailureKind::expect, FailureKind::http};
  std::vector<int> exit_codes = {};  ///< If any, only these exit codes are retried.
  std::vector<int> status = {};      ///< If any, these HTTP statuses are retried instead of the usual ones.

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// What a process reads from its standard input.
struct StandardInput {
  struct File {
    std::filesystem::path path;  ///< Relative to Job::directory.
  };
  /// What that task has written to its standard output; of a fetch the body.
  struct Of {
    TaskId task{};
  };

  std::variant<std::string, File, Of> from;
};

/// A named semaphore: so many units, of which tasks take some while they run.
struct Pool {
  std::string name;
  std::size_t size = 1;
};

/// A pool's place in Limits::pools.
enum class PoolId : std::uint32_t {};

constexpr std::size_t index(PoolId id) { return static_cast<std::size_t>(id); }

/// What a task takes of a pool.
struct PoolShare {
  PoolId pool;
  std::size_t units = 1;
};

/// One entry of `tasks`, with defaults filled in.
struct Task {
  std::string id;
  Position position;  ///< Of the id.
  Action action;
  std::vector<TaskId> needs;           ///< In the order written, without repetition.
  std::optional<Duration> timeout;     ///< Per attempt; never 0.
  int timeout_percent = 0;             ///< Instead: of the median of those that have passed; 0 for none.
  std::optional<Duration> slow_after;  ///< When an attempt is said to take long; never 0.
  Duration grace = std::chrono::seconds(10);
  Duration delay{};
  std::shared_ptr<const RetryPolicy> retry;    ///< Never null.
  std::vector<NameValue> env;                  ///< The task's own; goes over Job::env.
  std::optional<std::filesystem::path> cwd;    ///< Relative to Job::directory.
  std::shared_ptr<const StandardInput> input;  ///< Null: nothing.
  bool tty = false;      ///< It has the terminal, in gather's own group, as the only one at a time.
  bool isolate = false;  ///< In a PID namespace of its own.
  bool leave = false;    ///< What is left of a process that passed runs on.
  std::optional<Duration> estimate;
  int priority = 0;        ///< Higher starts first among ready tasks; before rank, before file order.
  int weight = 1;          ///< Slots that it takes, of all and of its kind; more than there are: all of them.
  bool exclusive = false;  ///< Nothing else runs meanwhile.
  std::vector<PoolShare> pools;  ///< No pool twice, none with more units than it has.
  std::string description;
  std::vector<std::string> tags;
  /// Parts of its result for the templates of others; null: none. No name twice.
  std::shared_ptr<const std::vector<OutputSpec>> outputs;
  std::shared_ptr<const Stencil> stencil;  ///< Some of its values wait for what others give; else null.
};

/// Slots; each at least 1.
struct Limits {
  std::size_t jobs = 64;  ///< For everything.
  std::size_t processes = default_processes();
  std::size_t fetches = 32;
  std::vector<HostLimit> hosts = {};  ///< Per host; every other host has usual_host_max.
  std::vector<Pool> pools = {};       ///< In file order; no name twice.

  /// CPUs that this process may use, plus 2.
  static std::size_t default_processes();
};

struct Job {
  std::string name;
  /// Where relative paths of the file start, and where its processes run: the folder of the job file.
  std::filesystem::path directory;
  Limits limits;
  std::vector<NameValue> env;  ///< For every process.
  std::optional<Duration> deadline;
  std::vector<Task> tasks;  ///< In file order; TaskId is the index.

  const Task& operator[](TaskId id) const { return tasks[index(id)]; }
};

}  // namespace gather::job
