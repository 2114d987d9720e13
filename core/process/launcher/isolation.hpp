/// A child in a PID namespace of its own (ChildPolicy::isolate): whatever it starts, however it flees, the
/// kernel ends it with the namespace's first process.
#pragma once

#include "core/async/io/child.hpp"
#include "core/process/starter.hpp"

#include <expected>
#include <memory>
#include <optional>
#include <span>

namespace gather::process::launcher {

/// The first process of a namespace: it starts the program, reaps what comes to it, and ends when the program
/// has ended and the rest has had leak_time. Signals to its group pass it by, but for SIGKILL, which
/// ends everything.
class Init {
 public:
  /// Shared with the process.
  struct Ending {
    bool program_ended = false;
    Exit exit;          ///< Of the program.
    bool left = false;  ///< Others were there when the time was over.
  };
  /// Throws std::bad_alloc.
  Init();

  Ending& ending() noexcept { return *ending_; }
  /// Puts the program's end where init's own stands. `reaped` is init's.
  void tell(Reaped& reaped) const noexcept;

 private:
  struct Unmap {
    void operator()(Ending* ending) const noexcept;
  };
  std::unique_ptr<Ending, Unmap> ending_;
};

/// Starts `spec` as async::start_child does, in a namespace of its own; what is given back is its init,
/// leader of session and group. `init` is set if that has succeeded. The program has a /proc of its own where
/// the system allows one. Without privileges it is in a user namespace, too, in which it is who it was, and
/// can be nobody else.
///
/// Requires: no other thread of this process is in the midst of anything; init goes on in a copy of it.
std::expected<async::StartedChild, async::StartError> start_isolated(
    const async::ChildSpec& spec, std::span<const async::PassedDescriptor> passed, std::optional<Init>& init);

}  // namespace gather::process::launcher
