/// Reads `limits.hosts`.
#include "core/job/hosts.hpp"

#include "core/job/check/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gather::job {
namespace {

constexpr std::string_view example = "as in `hosts: {example.org: {max: 4, rate: 5/s}}`";

constexpr auto keys = std::to_array<Key<HostLimit>>({
    {"max",
     [](Reader& r, Member m, HostLimit& to) {
       if (const auto max = r.whole(m.value, 1, static_cast<int>(most_host_max)))
         to.max = static_cast<std::size_t>(*max);
     }},
    {"rate",
     [](Reader& r, Member m, HostLimit& to) {
       const auto text = r.scalar(m.value, "a rate");
       if (!text) return;
       if (const auto rate = parse_rate(*text))
         to.rate = *rate;
       else
         r.error(m.value, rate.error());
     }},
});

}  // namespace

void read_hosts(Reader& reader, Value map, std::vector<HostLimit>& hosts) {
  if (!reader.is_map(map, example)) return;
  for (const Member member : Members(map)) {
    auto pattern = parse_host_pattern(member.key.text());
    if (!pattern) {
      reader.error(member.key, pattern.error().message, pattern.error().hint);
      continue;
    }
    if (!reader.has_value(member, example) || !reader.is_map(member.value, example)) continue;
    // The same spelling twice is an error of the document; letters and a final dot can differ here.
    if (std::ranges::find(hosts, *pattern, &HostLimit::pattern) != hosts.end()) {
      reader.error(member.key, fmt::format("{} has a limit already", code(spell(*pattern))),
                   "keep one of the two");
      continue;
    }
    HostLimit limit{.pattern = *std::move(pattern)};
    reader.keys(member.value, keys, limit);
    if (member.value.children() == 0)
      reader.error(member.value, "this limits nothing", "write `max`, `rate`, or both");
    hosts.push_back(std::move(limit));
  }
}

}  // namespace gather::job
