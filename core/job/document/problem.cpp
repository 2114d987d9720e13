#include "core/job/document/problem.hpp"

#include "core/base/quote.hpp"

#include <algorithm>
#include <tuple>

namespace gather::job {

void Findings::error(Extent extent, std::string message, std::string hint) {
  ++errors_;
  found_.push_back({Problem::Severity::error, extent, std::move(message), std::move(hint)});
}

void Findings::secret_error(Extent extent, std::string message, std::string hint) {
  error(extent, std::move(message), std::move(hint));
  found_.back().secret = true;
}

void Findings::warning(Extent extent, std::string message, std::string hint) {
  found_.push_back({Problem::Severity::warning, extent, std::move(message), std::move(hint)});
}

bool Findings::only(Extent extent, std::string message, std::string hint) {
  found_.clear();
  errors_ = 0;
  error(extent, std::move(message), std::move(hint));
  return false;
}

std::vector<Problem> Findings::located(const Lines& lines) && {
  const auto key = [](const Finding& f) { return std::tie(f.extent.begin, f.severity, f.message); };
  std::ranges::sort(found_, {}, key);
  const auto repeated = std::ranges::unique(found_, {}, key);
  found_.erase(repeated.begin(), repeated.end());

  std::vector<Problem> problems;
  problems.reserve(found_.size());
  for (Finding& finding : found_)
    problems.push_back({finding.severity, lines.locate(finding.extent.begin), lines.width(finding.extent),
                        std::move(finding.message), std::move(finding.hint), finding.secret});
  return problems;
}

std::string code(std::string_view name) {
  std::string text = in_quotes(name);  // Cut and inert; only the quotes differ.
  text.front() = '`';
  text.back() = '`';
  return text;
}

}  // namespace gather::job
