/// What gather and its launcher say to each other. `id` is gather's number for a child, from 1.
#pragma once

#include "core/base/duration.hpp"
#include "core/process/launcher/channel.hpp"
#include "core/process/starter.hpp"

#include <cstdint>

namespace gather::process::launcher {

enum class Kind : std::uint8_t {
  // From gather.
  common,  ///< Variables that the environments of children have in common from now on.
  start,   ///< What to start, with the descriptors that it needs. Answer: started or refused.
  signal,  ///< For a child's group.
  alone,   ///< Whether nobody of its group lives besides it. Answer: is_alone.
  reap,    ///< Kill what is left of its group and is not to stay, and reap it. Answer: reaped.
  forget,  ///< The same for one that may still run; no answer.
  sweep,   ///< End whatever earlier children have left and was not to stay. Answer: swept.
  pause,   ///< Stop everything that descends from the launcher, and start nothing.
  resume,  ///< Let it go on.
  share,   ///< A jobserver, with its descriptors. Answer: shares.
  // From the launcher.
  started,
  refused,
  ended,  ///< And reaped as well if nobody else was left in its group.
  is_alone,
  reaped,
  swept,
  shares,
};

inline int send(Channel& channel, Kind kind, std::uint64_t id, const Writer& body = {},
                std::span<const int> descriptors = {}) {
  return channel.send(static_cast<std::uint8_t>(kind), id, body.bytes(), descriptors);
}

/// What `share` says: its numbers are indices into the message's descriptors, or negative for none, but for
/// those that children see.
inline Writer& operator<<(Writer& to, const SharedJobserver& jobserver) {
  const PipeAuth pipe = jobserver.pipe.value_or(PipeAuth{});
  const PipeAuth in_children = jobserver.in_children.value_or(PipeAuth{});
  return to << pipe.read << pipe.write << in_children.read << in_children.write << jobserver.give_back_to
            << jobserver.held;
}
inline Reader& operator>>(Reader& from, SharedJobserver& jobserver) {
  PipeAuth pipe;
  PipeAuth in_children;
  from >> pipe.read >> pipe.write >> in_children.read >> in_children.write >> jobserver.give_back_to >>
      jobserver.held;
  if (pipe.read >= 0) jobserver.pipe = pipe;
  if (in_children.read >= 0) jobserver.in_children = in_children;
  return from;
}

/// What `start` says. stdin_fd and its like are indices into the message's descriptors, or negative as in
/// ChildSpec. Of the environment only its own variables travel.
struct StartRequest {
  async::ChildSpec spec;
  ChildPolicy policy;
  bool has_common = false;  // Its environment.
};

inline Writer& operator<<(Writer& to, const async::StartError& error) {
  return to << error.kind << error.why << error.code;
}
inline Reader& operator>>(Reader& from, async::StartError& error) {
  return from >> error.kind >> error.why >> error.code;
}

inline Writer& operator<<(Writer& to, const Reaped& reaped) {
  const Usage usage = reaped.usage.value_or(Usage{});
  return to << reaped.exit.code << reaped.exit.signal << reaped.exit.core_dumped << usage.user.count()
            << usage.system.count() << usage.peak_memory_bytes << reaped.left;
}
inline Reader& operator>>(Reader& from, Reaped& reaped) {
  Usage usage;
  Duration::rep user = 0;
  Duration::rep system = 0;
  from >> reaped.exit.code >> reaped.exit.signal >> reaped.exit.core_dumped >> user >> system >>
      usage.peak_memory_bytes >> reaped.left;
  usage.user = Duration(user);
  usage.system = Duration(system);
  reaped.usage = usage;
  return from;
}

inline Writer& operator<<(Writer& to, const StartRequest& request) {
  const async::ChildSpec& spec = request.spec;
  return to << request.policy.grace.count() << request.policy.leave << request.policy.isolate << spec.stdin_fd
            << spec.stdout_fd << spec.stderr_fd << spec.directory << spec.argv << spec.environment.own()
            << (spec.environment.common() != nullptr);
}
inline Reader& operator>>(Reader& from, StartRequest& request) {
  Duration::rep grace = 0;
  async::ChildSpec& spec = request.spec;
  async::Environment::Variables own;
  from >> grace >> request.policy.leave >> request.policy.isolate >> spec.stdin_fd >> spec.stdout_fd >>
      spec.stderr_fd >> spec.directory >> spec.argv >> own >> request.has_common;
  spec.environment = std::move(own);
  request.policy.grace = Duration(grace);
  return from;
}

inline Writer& operator<<(Writer& to, const Leftover& leftover) {
  return to << leftover.pid << leftover.command << leftover.task << leftover.stays;
}
inline Reader& operator>>(Reader& from, Leftover& leftover) {
  return from >> leftover.pid >> leftover.command >> leftover.task >> leftover.stays;
}

}  // namespace gather::process::launcher
