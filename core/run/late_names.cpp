#include "core/run/late_names.hpp"

#include "core/base/quote.hpp"
#include "core/job/fetch_job.hpp"

#include <fmt/format.h>

#include <memory>
#include <variant>

namespace gather::run {

void LateNames::take_in(const job::Job& job) {
  knows_job_ = true;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    const auto* const fetch = std::get_if<std::unique_ptr<const job::Fetch>>(&job.tasks[i].action);
    if (fetch != nullptr && (*fetch)->output)
      owners_.emplace(*(*fetch)->output, job::TaskId(static_cast<std::uint32_t>(i)));
  }
}

std::expected<void, std::string> LateNames::claim(const job::Job& job, job::TaskId task,
                                                  const std::filesystem::path& path, std::string_view named) {
  if (!knows_job_) take_in(job);
  const auto refuse = [&](std::string_view before, job::TaskId other, std::string_view behind) {
    return std::unexpected(
        fmt::format("{} {}, {} {}{}", named, inert(path.native()), before, inert(job[other].id), behind));
  };
  const auto owner_of = [&](const std::string& name) {
    const auto at = owners_.find(name);
    return at == owners_.end() || at->second == task ? std::nullopt : std::optional(at->second);
  };
  if (const auto other = owner_of(path.string())) return refuse("which is the file of", *other, ", too");
  for (const char* const ending : {".part", ".part.meta"})
    if (const auto other = owner_of(path.string() + ending))
      return refuse("and until it is whole it is written where the file of", *other, " is");
  if (const auto whole = job::written_for(path.native()))
    if (const auto other = owner_of(std::string(*whole)))
      return refuse("where the file of", *other, " is written until it is whole");
  std::string& had = claimed_[task];
  if (!had.empty() && had != path.string()) owners_.erase(had);
  had = path.string();
  owners_.emplace(had, task);
  return {};
}

}  // namespace gather::run
