#include "core/run/hosts.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace gather::run {

Hosts::Hosts(const job::Job& job, std::span<const job::HostLimit> limits) {
  std::unordered_map<std::string, HostId> known;
  std::unordered_map<std::string_view, HostId>
      spellings;  // By the beginning of the URL, which is in the job.
  const auto new_spelling = [&](std::string_view url) {
    job::Host host = job::host_of(url);
    const auto [place, is_new] =
        known.try_emplace(job::spell(host), HostId(static_cast<std::uint32_t>(hosts_.size())));
    if (is_new) {
      const job::HostLimit* const limit = job::limit_for(limits, host);
      hosts_.push_back({std::move(host), limit == nullptr ? job::usual_host_max : limit->max,
                        limit == nullptr ? std::nullopt : limit->rate});
    }
    return place->second;
  };
  const auto host_in = [&](std::string_view url) {
    const std::string_view spelling = url.substr(0, url.find_first_of("/?#", url.find("://") + 3));
    const auto place = spellings.find(spelling);
    return place != spellings.end() ? place->second
                                    : spellings.emplace(spelling, new_spelling(url)).first->second;
  };
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    const auto* const action = std::get_if<std::unique_ptr<const job::Fetch>>(&job.tasks[i].action);
    if (action == nullptr) continue;
    const job::Fetch& fetch = **action;
    if (by_task_.empty()) by_task_.assign(job.tasks.size(), no_host);
    by_task_[i] = host_in(fetch.url);
    if (fetch.mirrors.empty()) continue;
    std::vector<HostId>& all = mirrors_[job::TaskId(i)];
    for (std::size_t n = 0; n <= fetch.mirrors.size(); ++n) all.push_back(host_in(fetch.nth_url(n)));
  }
}

std::span<const HostId> Hosts::mirrors(job::TaskId task) const {
  const auto several = mirrors_.find(task);
  return several == mirrors_.end() ? std::span<const HostId>() : several->second;
}

}  // namespace gather::run
