#include "core/each/input.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <regex>
#include <utility>

namespace gather::each {
namespace {

/// The records of one source, or of several that are linked by `:::+`.
using Records = std::vector<Record>;

Records columns(const Source& source, const std::optional<std::regex>& colsep) {
  Records records;
  records.reserve(source.values.size());
  for (const std::string& value : source.values) {
    if (!colsep) {
      records.push_back({value});
      continue;
    }
    const std::sregex_token_iterator begin(value.begin(), value.end(), *colsep, -1);
    Record record(begin, std::sregex_token_iterator());
    if (record.empty()) record.emplace_back();
    records.push_back(std::move(record));
  }
  return records;
}

void append(Record& to, const Record& more) { to.insert(to.end(), more.begin(), more.end()); }

Records linked(Records first, const Records& second) {
  first.resize(std::min(first.size(), second.size()));
  for (std::size_t i = 0; i < first.size(); ++i) append(first[i], second[i]);
  return first;
}

Records product(const Records& first, const Records& second) {
  Records all;
  all.reserve(first.size() * second.size());
  for (const Record& left : first)
    for (const Record& right : second) {
      all.push_back(left);
      append(all.back(), right);
    }
  return all;
}

/// Shorter ones begin again.
Records in_turn(const std::vector<Records>& groups) {
  std::size_t longest = 0;
  for (const Records& group : groups) {
    if (group.empty()) return {};
    longest = std::max(longest, group.size());
  }
  Records all(longest);
  for (std::size_t i = 0; i < longest; ++i)
    for (const Records& group : groups) append(all[i], group[i % group.size()]);
  return all;
}

std::optional<std::regex> compiled(const std::optional<std::string>& pattern) {
  if (!pattern) return std::nullopt;
  try {
    return std::regex(*pattern, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw Error(ExitStatus::usage,
                fmt::format("--colsep: {} is no regular expression: {}", in_quotes(*pattern), error.what()));
  }
}

void take_header(Records& records, std::vector<std::string>& names) {
  if (records.empty())
    throw Error(ExitStatus::usage, "--header: a source is empty, and its first value would be its name");
  append(names, records.front());
  records.erase(records.begin());
}

}  // namespace

std::vector<std::string> split_values(std::string_view text, std::string_view delimiter) {
  std::vector<std::string> values;
  while (!text.empty()) {
    const std::size_t end = text.find(delimiter);
    values.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + delimiter.size());
  }
  return values;
}

std::string read_escapes(std::string_view text, std::string_view flag) {
  std::string delimiter;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      delimiter += text[i];
      continue;
    }
    const char kind = ++i < text.size() ? text[i] : '?';
    constexpr std::pair<char, char> plain[] = {
        {'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'0', '\0'}, {'\\', '\\'}};
    const auto* const found = std::ranges::find(plain, kind, &std::pair<char, char>::first);
    if (found != std::end(plain)) {
      delimiter += found->second;
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = kind == 'x' ? text.substr(i + 1, 2) : "";
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{})
      throw Error(ExitStatus::usage, fmt::format("{}: {} has an escape that is none; \\n, \\t, \\r, "
                                                 "\\0, \\xHH and \\\\ are",
                                                 flag, in_quotes(text)));
    delimiter += static_cast<char>(value);
    i += static_cast<std::size_t>(end - digits.data());
  }
  return delimiter;
}

std::string read_delimiter(std::string_view text) {
  std::string delimiter = read_escapes(text, "--delimiter");
  if (delimiter.empty())
    throw Error(ExitStatus::usage, "--delimiter: it is empty; give a character, as in -d ,");
  return delimiter;
}

Input combine(std::vector<Source> sources, const InputOptions& options) {
  const std::optional<std::regex> colsep = compiled(options.colsep);
  Input input;
  std::vector<Records> groups;
  for (const Source& source : sources) {
    Records records = columns(source, colsep);
    if (options.header) take_header(records, input.names);
    if (source.linked && !groups.empty())
      groups.back() = linked(std::move(groups.back()), records);
    else
      groups.push_back(std::move(records));
  }
  if (groups.empty()) return input;
  if (options.link) {
    input.records = in_turn(groups);
    return input;
  }
  input.records = std::move(groups.front());
  for (std::size_t i = 1; i < groups.size(); ++i) input.records = product(input.records, groups[i]);
  return input;
}

}  // namespace gather::each
