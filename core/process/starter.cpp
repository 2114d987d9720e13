#include "core/process/starter.hpp"

#include <cstdlib>
#include <string_view>

namespace gather::process {
namespace {

StartPath path_from_environment() {
  const char* const text = std::getenv("GATHER_START");
  const std::string_view name = text != nullptr ? text : "";
  return name == "launcher" ? StartPath::launcher
         : name == "vfork"  ? StartPath::vfork
         : name == "fork"   ? StartPath::fork
         : name == "uv"     ? StartPath::uv
                            : StartPath::automatic;
}

}  // namespace

async::StartError explain_no_isolation() {
  return {
      async::StartFailure::other,
      "it wants a PID namespace of its own (`isolate: pid`), which only the launcher makes (GATHER_START)"};
}

std::unique_ptr<Starter> make_starter(async::Loop& loop, StartPath path,
                                      const std::string& launcher_program) {
  async::keep_exit_statuses();
  if (path == StartPath::automatic) path = path_from_environment();
  if (path == StartPath::uv || !async::can_start_children()) return make_uv_starter(loop);
  switch (path) {
    case StartPath::vfork:
      return make_in_process_starter(loop, async::StartPath::vfork);
    case StartPath::fork:
      return make_in_process_starter(loop, async::StartPath::fork);
    default:
      return launcher_program.empty() ? make_in_process_starter(loop, async::StartPath::automatic)
                                      : make_launcher_starter(loop, launcher_program);
  }
}

}  // namespace gather::process
