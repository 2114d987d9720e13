#include "core/net/checksum_list.hpp"

#include "core/base/quote.hpp"
#include "core/net/headers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace gather::net {
namespace {

/// `text` in lower case, if it is hexadecimal digits alone.
std::optional<std::string> hexadecimal(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  return lower;
}

std::optional<Algorithm> algorithm_of(std::size_t hex_digits) {
  for (const Algorithm algorithm :
       {Algorithm::sha256, Algorithm::sha512, Algorithm::sha384, Algorithm::sha1, Algorithm::md5})
    if (digits(algorithm) == hex_digits) return algorithm;
  return std::nullopt;
}

std::optional<std::string> unescaped(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      result += name[i];
      continue;
    }
    const char next = ++i < name.size() ? name[i] : '\0';
    if (next != 'n' && next != 'r' && next != '\\') return std::nullopt;
    result += next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
  }
  return result;
}

/// `HEX  NAME`: two characters in between, of which the second tells text from binary.
std::optional<ListedChecksum> coreutils_line(std::string_view line) {
  const std::size_t end = line.find(' ');
  if (end == std::string_view::npos || line.size() < end + 3) return std::nullopt;
  const char mark = line[end + 1];
  const auto algorithm = algorithm_of(end);
  auto hex = hexadecimal(line.substr(0, end));
  if (!algorithm || !hex || (mark != ' ' && mark != '*')) return std::nullopt;
  return ListedChecksum{std::string(line.substr(end + 2)), {*algorithm, std::move(*hex)}};
}

/// `SHA256 (NAME) = HEX`: NAME may hold brackets, HEX can't.
std::optional<ListedChecksum> bsd_line(std::string_view line) {
  constexpr std::array<std::pair<std::string_view, Algorithm>, 6> words{{{"SHA256", Algorithm::sha256},
                                                                         {"SHA512", Algorithm::sha512},
                                                                         {"SHA384", Algorithm::sha384},
                                                                         {"SHA1", Algorithm::sha1},
                                                                         {"MD5", Algorithm::md5},
                                                                         {"BLAKE2b", Algorithm::blake2b}}};
  constexpr std::string_view between = ") = ";
  const std::size_t open = line.find(" (");
  const std::size_t close = line.rfind(between);
  if (open == std::string_view::npos || close == std::string_view::npos || close <= open + 2)
    return std::nullopt;
  const auto* const word = std::ranges::find_if(
      words, [&](const auto& entry) { return same_name(entry.first, line.substr(0, open)); });
  auto hex = hexadecimal(line.substr(close + between.size()));
  if (word == words.end() || !hex || hex->size() != digits(word->second)) return std::nullopt;
  return ListedChecksum{std::string(line.substr(open + 2, close - open - 2)),
                        {word->second, std::move(*hex)}};
}

std::optional<ListedChecksum> parse_line(std::string_view line) {
  const bool escaped = line.starts_with('\\');
  if (escaped) line.remove_prefix(1);
  auto listed = coreutils_line(line);
  if (!listed) listed = bsd_line(line);
  if (listed && escaped) {
    auto name = unescaped(listed->name);
    if (!name) return std::nullopt;
    listed->name = std::move(*name);
  }
  if (!listed || listed->name.empty() || listed->name.contains('\0')) return std::nullopt;
  return listed;
}

}  // namespace

std::expected<std::vector<ListedChecksum>, std::string> parse_checksum_list(std::string_view text) {
  std::vector<ListedChecksum> list;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    auto listed = parse_line(line);
    if (!listed)
      return std::unexpected(
          fmt::format("line {} is no line of a list of checksums: {}", number, in_quotes(line)));
    list.push_back(std::move(*listed));
  }
  return list;
}

std::expected<Checksum, std::string> checksum_for(std::string_view base_name,
                                                  const std::vector<ListedChecksum>& list) {
  const Checksum* found = nullptr;
  for (const ListedChecksum& listed : list) {
    const std::string_view name = listed.name;
    if (name.substr(name.rfind('/') + 1) != base_name) continue;
    if (found != nullptr && found->algorithm == listed.checksum.algorithm && *found != listed.checksum)
      return std::unexpected(fmt::format("{} is listed with different checksums", in_quotes(base_name)));
    if (found == nullptr || listed.checksum.algorithm < found->algorithm) found = &listed.checksum;
  }
  if (found == nullptr) return std::unexpected(fmt::format("{} is not listed", in_quotes(base_name)));
  return *found;
}

}  // namespace gather::net
