/// Where children come from: the interface between running a process and the way it is started.
#pragma once

#include "core/async/io/child.hpp"
#include "core/async/loop/loop.hpp"
#include "core/base/duration.hpp"
#include "core/process/bell.hpp"
#include "core/process/jobserver/jobserver.hpp"
#include "core/process/pipe_stock.hpp"

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::process {

/// How a program ended: by itself with `code`, or by `signal` if that is not 0.
struct Exit {
  int code = 0;
  int signal = 0;
  bool core_dumped = false;

  friend bool operator==(const Exit&, const Exit&) = default;
};

/// What a child cost, itself and the descendants that it has waited for.
struct Usage {
  Duration user{};
  Duration system{};
  /// 0 if it is not known, which is so below the peak of the process that started it: Linux counts a child's
  /// peak from the memory it had before its program ran, and that is its parent's.
  std::uint64_t peak_memory_bytes = 0;
};

/// How a child's processes are kept together, and what becomes of them.
struct ChildPolicy {
  Duration grace{};    ///< What its group gets between SIGTERM and SIGKILL should this process die.
  bool leave = false;  ///< If it ends with 0 and got no signal from here, what it has left runs on for good.
  bool isolate = false;  ///< In a PID namespace of its own, which ends with it. Not with `leave`.
};

/// A process that a child has left behind: out of its group, and ended afterwards; or for good.
struct Leftover {
  pid_t pid = -1;
  std::string command;  ///< Its arguments with spaces between; its name where it has none.
  std::string task;     ///< What task_variable was in its environment, empty if that is not known.
  bool stays = false;   ///< It runs on, as ChildPolicy allowed.
};
inline constexpr std::string_view task_variable = "GATHER_TASK";
inline constexpr std::string_view attempt_variable = "GATHER_ATTEMPT";  ///< The number of its attempt.

struct Reaped {
  Exit exit;
  std::optional<Usage> usage;  ///< Not known on StartPath::uv.
  bool left = false;           ///< Isolated, it has left processes, which were killed.
};

/// A child that was started, and its group. Destroying it before it is reaped kills the group, and leaves no
/// zombie.
class Child {
 public:
  virtual ~Child() = default;

  /// Whether the leader has ended. The bell that was passed to start() rings when it does.
  virtual bool ended() const noexcept = 0;

  /// For how long its program had run when start() gave it, as far as that is known.
  virtual Duration age() const noexcept { return {}; }

  /// Sends a signal to every process of the group. No-op after reap().
  virtual void signal(int number) noexcept = 0;

  /// Whether nobody lives in the group any more. Asking is cheap if that is so, and may take milliseconds if
  /// not. Requires: ended, not reaped.
  virtual async::Co<bool> alone() = 0;

  /// Kills what is left of the group, if that is not to stay (ChildPolicy), and gives the leader's end. Takes
  /// a cancel and throws as Starter::start does. Requires: ended; called once.
  virtual async::Co<Reaped> reap() = 0;
};

/// Starts children. Must outlive them.
class Starter {
 public:
  virtual ~Starter() = default;

  /// Starts a child as async::start_child describes it; returns when its program runs or could not be run.
  /// `ended` must outlive the child.
  ///
  /// A cancel that comes meanwhile is not lost, and does not cut it short: it waits for the next await that
  /// suspends. Throws gather::Error (ExitStatus::bug) when nothing can be started any more.
  virtual async::Co<std::expected<std::unique_ptr<Child>, async::StartError>> start(
      const async::ChildSpec& spec, Bell& ended, ChildPolicy policy) = 0;

  /// Has all children share a jobserver, and the tokens of it that this process holds given back should it
  /// die: from when `ready` is called on, which may be at once, and does not come where nothing is started.
  /// Before the first start; `ready` is kept.
  virtual void share(const SharedJobserver& jobserver, std::function<void()> ready) = 0;

  /// Ends what earlier children have left behind out of their groups, politely first, but what is to stay,
  /// and tells what that was. Children that have not been reaped are spared. Empty where that can't be known.
  /// Takes a cancel and throws as start() does.
  virtual async::Co<std::vector<Leftover>> sweep() { co_return std::vector<Leftover>{}; }

  /// Whether `pid` is a child of this process that the starter looks after. Only StartPath::launcher can
  /// tell; elsewhere every child may be one.
  virtual bool owns(pid_t) const noexcept { return true; }

  /// Stops (SIGSTOP) everything that it has started and what descends from that, before it returns as good as
  /// after; and lets it go on. No-ops where it does not know: only StartPath::launcher does.
  virtual void pause() noexcept {}
  virtual void resume() noexcept {}

  /// For what its children write.
  PipeStock& pipes() noexcept { return pipes_; }

 private:
  PipeStock pipes_;
};

/// Ways to start children.
enum class StartPath : std::uint8_t {
  automatic,  ///< The best that works here, or the one that GATHER_START names.
  launcher,   ///< A second process starts them, and ends what they leave; see launcher/launcher.hpp.
  vfork,      ///< The next two: this process does, on that path of async::start_child.
  fork,
  uv,  ///< libuv does, where the kernel lacks what the others need.
};

/// `loop` must outlive it. `launcher_program` is one whose main calls run_as_launcher() first; without it
/// there is no launcher.
///
/// From then on this process can't ignore SIGCHLD, or the kernel would throw exit statuses away.
std::unique_ptr<Starter> make_starter(async::Loop& loop, StartPath path = StartPath::automatic,
                                      const std::string& launcher_program = {});

/// Why a starter other than the launcher's refuses an isolated child.
async::StartError explain_no_isolation();

/// Those that make_starter chooses from.
std::unique_ptr<Starter> make_launcher_starter(async::Loop& loop, const std::string& program);
std::unique_ptr<Starter> make_in_process_starter(async::Loop& loop, async::StartPath path);
std::unique_ptr<Starter> make_uv_starter(async::Loop& loop);

}  // namespace gather::process
