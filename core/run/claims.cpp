#include "core/run/claims.hpp"

#include <algorithm>

namespace gather::run {

Claims::Claims(const job::Job& job, const LimitsInForce& limits, const Hosts& hosts, Outside outside,
               Admission& admission)
    : admission_(admission),
      jobs_(admission.add_resource(Lack::slot, limits.jobs, limits.delay)),
      processes_(admission.add_resource(Lack::slot, limits.processes)),
      fetches_(admission.add_resource(Lack::slot, limits.fetches)) {
  add_hosts(hosts);
  for (const job::Pool& pool : limits.pools) pools_.push_back(admission.add_resource(Lack::pool, pool.size));
  if (outside.tokens) tokens_ = admission.add_outside_resource(Lack::slot, 1);
  if (outside.machine) machine_ = admission.add_outside_resource(Lack::slot, 1);
  lines_.resize(job.tasks.size());
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const auto id = job::TaskId(i);
    lines_[i] = line_for(job.tasks[i], hosts.of(id));
    for (const HostId host : hosts.mirrors(id)) mirrors_[id].push_back(line_for(job.tasks[i], host));
  }
}

void Claims::add_hosts(const Hosts& hosts) {
  for (const Hosts::Limited& host : hosts.all().subspan(hosts_.size()))
    hosts_.push_back(
        admission_.add_resource(Lack::host, host.max, host.rate ? host.rate->interval() : Duration(0)));
  plain_at_.resize(hosts_.size());
}

void Claims::learn(job::TaskId id, const job::Task& task, const Hosts& hosts) {
  add_hosts(hosts);
  lines_[job::index(id)] = line_for(task, hosts.of(id));
  for (const HostId host : hosts.mirrors(id)) mirrors_[id].push_back(line_for(task, host));
}

void Claims::grown(const job::Job& job) {
  while (lines_.size() < job.tasks.size()) lines_.push_back(line_for(job.tasks[lines_.size()], no_host));
}

// What concerns most comes first: where much is lacking, that is what a task is said to wait for. What comes
// from outside is asked for only when nothing else is missing, so that no token lies idle; it comes last.
LineId Claims::line_for(const job::Task& task, HostId host) {
  const Kind kind = kind_of(task.action);
  if (kind == Kind::none) return {};
  if (task.exclusive || task.weight != 1 || !task.pools.empty()) return line_with(needs_of(task, host), true);
  // The usual ones: as many lines as there are kinds and hosts, whatever the number of tasks.
  std::optional<LineId>& line =
      host != no_host ? plain_at_[index(host)] : plain_[static_cast<std::size_t>(kind)];
  if (!line) line = line_with(needs_of(task, host), false);
  return *line;
}

std::vector<Need> Claims::needs_of(const job::Task& task, HostId host) const {
  const Kind kind = kind_of(task.action);
  std::vector<Need> needs{Need{jobs_, task.exclusive ? Need::everything : task.weight}};
  if (kind == Kind::process) needs.push_back({processes_, task.weight});
  if (kind == Kind::fetch) needs.push_back({fetches_, task.weight});
  if (host != no_host) needs.push_back({at(host)});
  for (const job::PoolShare& share : task.pools)
    needs.push_back({pools_[job::index(share.pool)], static_cast<std::int64_t>(share.units)});
  if (kind == Kind::process && machine_) needs.push_back({*machine_});
  if (kind == Kind::process && tokens_) needs.push_back({*tokens_});
  return needs;
}

LineId Claims::line_with(const std::vector<Need>& needs, bool starves) {
  auto line = known_.find(needs);
  if (line == known_.end())
    line = known_
               .emplace(needs, admission_.add_line(needs, starves ? Admission::Overtaking::starves
                                                                  : Admission::Overtaking::harmless))
               .first;
  return line->second;
}

}  // namespace gather::run
