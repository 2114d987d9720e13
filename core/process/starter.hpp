/// Where children come from: the interface between running a process and the way it is started.
#pragma once

#include "core/async/io/child.hpp"
#include "core/async/loop/loop.hpp"
#include "core/base/duration.hpp"
#include "core/process/bell.hpp"

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

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

struct Reaped {
  Exit exit;
  std::optional<Usage> usage;  ///< Not known on StartPath::uv.
};

/// A child that was started, and its group. Destroying it before it is reaped kills the group, and leaves no
/// zombie.
class Child {
 public:
  virtual ~Child() = default;

  /// Whether the leader has ended. The bell that was passed to start() rings when it does.
  virtual bool ended() const noexcept = 0;

  /// Sends a signal to every process of the group. No-op after reap().
  virtual void signal(int number) noexcept = 0;

  /// Whether nobody lives in the group any more. Asking is cheap if that is so, and may take milliseconds if
  /// not. Requires: ended, not reaped.
  virtual async::Co<bool> alone() = 0;

  /// Kills what is left of the group and gives the leader's end. Requires: ended; called once.
  virtual async::Co<Reaped> reap() = 0;
};

/// Starts children. Must outlive them.
class Starter {
 public:
  virtual ~Starter() = default;

  /// Starts a child as async::start_child describes it; returns when its program runs or could not be run.
  /// `ended` must outlive the child.
  virtual async::Co<std::expected<std::unique_ptr<Child>, async::StartError>> start(
      const async::ChildSpec& spec, Bell& ended) = 0;
};

/// One that starts children in this process. On `automatic` it takes the best path that works here, or the
/// one that GATHER_START names (vfork, fork, uv). `loop` must outlive it.
///
/// From then on this process can't ignore SIGCHLD, or the kernel would throw exit statuses away.
std::unique_ptr<Starter> make_starter(async::Loop& loop, async::StartPath path = async::StartPath::automatic);

/// The two that make_starter chooses from.
std::unique_ptr<Starter> make_in_process_starter(async::Loop& loop, async::StartPath path);
std::unique_ptr<Starter> make_uv_starter(async::Loop& loop);

}  // namespace gather::process
