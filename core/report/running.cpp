#include "core/report/running.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

namespace gather::report {
namespace {

constexpr std::size_t most_named = 8;

/// One decimal, so that a line that is redrawn ten times a second is quiet to look at.
std::string show_elapsed(Duration length) {
  if (length < std::chrono::minutes(1)) return fmt::format("{:.1f} s", to_seconds(length));
  return show(length);
}

}  // namespace

void Running::started(job::TaskId id, Duration at) {
  ++running_;
  if (job::index(id) >= current_.size()) current_.resize(job::index(id) + 1);
  current_[job::index(id)] = ++starts_;
  entries_.push_back({id, at, starts_});
}

void Running::stopped(job::TaskId id) {
  if (job::index(id) >= current_.size() || current_[job::index(id)] == 0) return;
  current_[job::index(id)] = 0;
  --running_;
  while (!entries_.empty() && !alive(entries_.front())) entries_.pop_front();
  if (entries_.size() > 64 && entries_.size() > 2 * running_)
    std::erase_if(entries_, [&](const Entry& entry) { return !alive(entry); });
}

void Running::ended(bool failed) {
  ++ended_;
  if (failed) ++failed_;
}

std::string Running::text(const job::Job& job, Duration now, std::string_view between) const {
  std::string text = fmt::format("[{}/{}] {}", ended_, job.tasks.size(), between);
  if (failed_ > 0) text += fmt::format("{} failed, ", failed_);
  text += fmt::format("{} running", running_);
  std::size_t named = 0;
  for (const Entry& entry : entries_) {
    if (!alive(entry)) continue;
    if (named == most_named) {
      text += ", …";
      break;
    }
    text += fmt::format("{} {} {}", named == 0 ? ":" : ",", inert(job[entry.id].id),
                        show_elapsed(std::max(now - entry.at, Duration(0))));
    ++named;
  }
  return text;
}

std::vector<Running::Current> Running::tasks(Duration now) const {
  std::vector<Current> result;
  for (const Entry& entry : entries_)
    if (alive(entry)) result.push_back({entry.id, std::max(now - entry.at, Duration(0))});
  return result;
}

}  // namespace gather::report
