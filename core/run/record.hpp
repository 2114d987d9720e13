/// What is kept of a run: plain data, complete enough for every report and every figure.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/error.hpp"
#include "core/job/model.hpp"
#include "core/run/outcome.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::run {

/// Where a task stands. The last six are endings, and each task reaches exactly one of them.
enum class State : std::uint8_t {
  waiting,  ///< For needs, its delay, or a back-off.
  ready,    ///< For a slot.
  running,
  passed,
  flaky,  ///< Passed after a failed attempt.
  failed,
  timed_out,
  cancelled,
  skipped,  ///< Never started, because of another task's end.
};

constexpr bool is_ending(State state) { return state >= State::passed; }
constexpr bool is_success(State state) { return state == State::passed || state == State::flaky; }
constexpr std::size_t state_count = 9;

/// "waiting", "timed_out", …; the words of reports and of the JSON.
std::string_view name(State state);

/// What a task that is ready and does not run waits for.
enum class Lack : std::uint8_t {
  slot,  ///< Of all, or of its kind.
  host,  ///< A place at its host, or that the host opens again.
  rate,  ///< The next start that its host's rate allows.
  pool,  ///< Units of a pool.
};
inline constexpr std::size_t lack_count = 4;

/// How long, by Lack.
using Lacked = std::array<Duration, lack_count>;

/// What a process cost, itself and the children it waited for.
struct Usage {
  Duration user{};
  Duration system{};
  std::optional<std::uint64_t> peak_memory_bytes;  ///< Unknown below gather's own; see process::Usage.
};

/// What the time of a fetch went into, and where it led. What a kept connection made needless is 0, and so is
/// what was not reached.
struct Transfer {
  Duration dns{};
  Duration connect{};
  Duration tls{};
  Duration first_byte{};  ///< From the request to the answer's first byte.
  Duration body{};
  std::string mirror;              ///< Of several URLs, the one that was asked last, as written; else empty.
  std::string final_url;           ///< After redirects; then without query and fragment.
  std::string http_version;        ///< "1.1", "2"; empty if nothing was answered.
  std::uint64_t resumed_from = 0;  ///< Bytes that were there from an earlier attempt.
  bool unverified_length = false;  ///< Only the end of the connection told where the body ends.
  std::string saved_as;            ///< Where the server names the file: its path; else empty.
};

/// One try. Times count from the start of the run.
struct AttemptRecord {
  int number = 1;
  Duration start{};
  Duration length{};  ///< Without what it waited for a place at the next mirror.
  Outcome outcome;
  std::optional<Usage> usage;                     ///< Of processes.
  std::optional<int> http_status;                 ///< Of fetches that were answered.
  std::uint64_t bytes_in = 0;                     ///< Body bytes of a fetch.
  std::string sha256 = {};                        ///< Of a fetch's body, in hex; empty if nobody asked.
  std::shared_ptr<const Transfer> transfer = {};  ///< Of fetches that asked a server; else null.
  bool leaked = false;                            ///< Something it started outlived it, and was killed.
};

/// Times count from the start of the run; a duration that never came is not set.
struct TaskRecord {
  State state = State::waiting;
  std::string reason;                      ///< In words, for every ending but passed.
  std::optional<job::TaskId> cause;        ///< The task that caused it: the failed need of a skipped task.
  std::optional<job::TaskId> released_by;  ///< The need that ended last, so that the task could go on.
  std::optional<Duration> ready_at;        ///< When nothing but a slot was missing, the first time.
  std::vector<AttemptRecord> attempts;
  std::optional<Duration> ended_at;
  /// The task with its templates filled in, from the start of an attempt to its end; null if it has none.
  std::shared_ptr<const job::Task> filled;
  Lacked lacked{};  ///< Before all its attempts and their mirrors, or until it was cancelled.
  int slot = 0;     ///< From 1, compact; 0 if it never took one.

  /// When its first attempt began.
  std::optional<Duration> started_at() const {
    return attempts.empty() ? std::nullopt : std::optional(attempts.front().start);
  }
  /// d of the figures: how long its last attempt took, 0 if there was none.
  Duration length() const { return attempts.empty() ? Duration(0) : attempts.back().length; }
};

/// Lateness of the loop's own timers during the run: what our figures can be doubted by.
struct LoopLag {
  Duration p50{};
  Duration p99{};
  Duration most{};
};

/// The limits in force, the highest if they changed meanwhile; each at least 1.
struct LimitsInForce {
  std::size_t jobs = 1;
  std::size_t processes = 1;
  std::size_t fetches = 1;
  std::vector<job::HostLimit> hosts = {};  ///< As Limits::hosts.
  Duration delay{};                        ///< Between any two starts, at least.
  std::vector<job::Pool> pools = {};       ///< As Limits::pools.
};

/// A process that a task has left behind.
struct LeftProcess {
  std::string task;  ///< Its id; empty where that is not known.
  int pid = 0;
  std::string command;
  bool stays = false;  ///< It runs on, as its task allowed (`leave`); else it was ended.
};

struct Record {
  std::string run_id;
  std::chrono::system_clock::time_point began;
  LimitsInForce limits;
  Duration wall{};
  std::vector<TaskRecord> tasks;          ///< By TaskId.
  std::optional<std::string> stopped;     ///< Why the run was stopped early, in words.
  std::vector<LeftProcess> left_running;  ///< In no order.
  LoopLag lag;
  ExitStatus exit = ExitStatus::success;

  const TaskRecord& operator[](job::TaskId id) const { return tasks[job::index(id)]; }
};

}  // namespace gather::run
