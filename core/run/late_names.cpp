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
  const auto [at, is_new] = owners_.try_emplace(path.string(), task);
  if (!is_new && at->second != task)
    return std::unexpected(fmt::format("{} {}, which is the file of {}, too", named, inert(path.native()),
                                       inert(job[at->second].id)));
  std::string& had = claimed_[task];
  if (!had.empty() && had != path.string()) owners_.erase(had);
  had = path.string();
  for (const char* const ending : {".part", ".part.meta"})
    if (const auto other = owners_.find(path.string() + ending); other != owners_.end())
      return std::unexpected(fmt::format("{} {}, and until it is whole it is written where the file of {} is",
                                         named, inert(path.native()), inert(job[other->second].id)));
  if (const auto whole = job::written_for(path.native()))
    if (const auto other = owners_.find(std::string(*whole)); other != owners_.end())
      return std::unexpected(fmt::format("{} {}, where the file of {} is written until it is whole", named,
                                         inert(path.native()), inert(job[other->second].id)));
  return {};
}

}  // namespace gather::run
