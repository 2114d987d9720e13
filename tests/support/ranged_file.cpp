#include "tests/support/ranged_file.hpp"

#include <fmt/format.h>

#include <optional>

namespace gather::test {
namespace {

/// The N of "bytes=N-", the only form that a resume has.
std::optional<std::size_t> range_start(const ScriptedServer::Request& request) {
  const auto range = request.headers.find("range");
  if (range == request.headers.end() || !range->second.starts_with("bytes=")) return std::nullopt;
  return std::stoul(range->second.substr(6));
}

}  // namespace

std::string RangedFile::answer(const ScriptedServer::Request& request) const {
  std::optional<std::size_t> start = range_start(request);
  const auto condition = request.headers.find("if-range");
  const bool other_version =
      manner == Manner::right && condition != request.headers.end() && condition->second != etag;
  if (manner == Manner::ignores_range || other_version) start.reset();
  const std::string validator = fmt::format("ETag: {}\r\nAccept-Ranges: bytes\r\n", etag);
  if (!start) return response(200, content, validator);
  if (*start >= content.size() || manner == Manner::never_satisfied)
    return response(416, "", fmt::format("Content-Range: bytes */{}\r\n", content.size()));
  const std::size_t total = content.size() + (manner == Manner::changed_total ? 1 : 0);
  if (manner == Manner::wrong_start && *start + 1 < content.size()) ++*start;
  return response(206, std::string_view(content).substr(*start),
                  fmt::format("{}Content-Range: bytes {}-{}/{}\r\n",
                              manner == Manner::drops_etag ? "" : validator, *start, total - 1, total));
}

}  // namespace gather::test
