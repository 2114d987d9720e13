#include "core/run/hosts.hpp"

#include <memory>
#include <utility>
#include <variant>

namespace gather::run {

Hosts::Hosts(const job::Job& job, std::span<const job::HostLimit> limits)
    : limits_(limits.begin(), limits.end()) {
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    const auto* const fetch = std::get_if<std::unique_ptr<const job::Fetch>>(&job.tasks[i].action);
    if (fetch != nullptr && !(*fetch)->url.empty()) learn(job::TaskId(i), job.tasks.size(), **fetch);
  }
}

void Hosts::learn(job::TaskId task, std::size_t tasks, const job::Fetch& fetch) {
  if (by_task_.empty()) by_task_.assign(tasks, no_host);
  by_task_[job::index(task)] = host_in(fetch.url);
  if (fetch.mirrors.empty()) return;
  std::vector<HostId>& all = mirrors_[task];
  for (std::size_t n = 0; n <= fetch.mirrors.size(); ++n) all.push_back(host_in(fetch.nth_url(n)));
}

HostId Hosts::host_in(std::string_view url) {
  const std::string_view spelling = url.substr(0, url.find_first_of("/?#", url.find("://") + 3));
  if (const auto seen = spellings_.find(spelling); seen != spellings_.end()) return seen->second;
  job::Host host = job::host_of(url);
  const auto [place, is_new] =
      known_.try_emplace(job::spell(host), HostId(static_cast<std::uint32_t>(hosts_.size())));
  if (is_new) {
    const job::HostLimit* const limit = job::limit_for(limits_, host);
    hosts_.push_back({std::move(host), limit == nullptr ? job::usual_host_max : limit->max,
                      limit == nullptr ? std::nullopt : limit->rate});
  }
  spellings_.emplace(spelling, place->second);
  return place->second;
}

std::span<const HostId> Hosts::mirrors(job::TaskId task) const {
  const auto several = mirrors_.find(task);
  return several == mirrors_.end() ? std::span<const HostId>() : several->second;
}

}  // namespace gather::run
