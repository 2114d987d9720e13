#include "core/process/starter.hpp"

#include <cstdlib>
#include <string_view>

namespace gather::process {
namespace {

using async::StartPath;

StartPath path_from_environment() {
  const char* const text = std::getenv("GATHER_START");
  const std::string_view name = text != nullptr ? text : "";
  return name == "vfork"  ? StartPath::vfork
         : name == "fork" ? StartPath::fork
         : name == "uv"   ? StartPath::uv
                          : StartPath::automatic;
}

}  // namespace

std::unique_ptr<Starter> make_starter(async::Loop& loop, StartPath path) {
  async::keep_exit_statuses();
  if (path == StartPath::automatic) path = path_from_environment();
  if (path == StartPath::uv || (path == StartPath::automatic && !async::can_start_children()))
    return make_uv_starter(loop);
  return make_in_process_starter(loop, path);
}

}  // namespace gather::process
