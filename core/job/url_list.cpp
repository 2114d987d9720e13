#include "core/job/url_list.hpp"

#include "core/base/quote.hpp"
#include "core/base/suggest.hpp"
#include "core/job/url.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace gather::job {
namespace {

using Json = nlohmann::json;

constexpr std::string_view not_a_sha256 = "a SHA-256 is 64 hexadecimal digits; sha256sum FILE prints it";

/// One line on its way to an entry; the first thing that is wrong with it ends it.
class Line {
 public:
  Line(EntryPlace place, UrlList& list) : list_(list) { entry_.place = std::move(place); }

  void read_fields(std::string_view line) {
    if (line.starts_with('#')) return problem("a list has no comments: each line is a URL, or an object");
    std::array<std::string_view, 3> fields;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
      if (count == fields.size()) return problem("a line has at most three fields: URL, output, sha256:HEX");
      const std::size_t tab = line.find('\t');
      more = tab != std::string_view::npos;
      fields[count] = line.substr(0, tab);
      line.remove_prefix(more ? tab + 1 : line.size());
    }
    entry_.url = fields[0];
    if (!fields[1].empty()) entry_.output = fields[1];
    constexpr std::string_view scheme = "sha256:";
    if (count == 3) {
      if (!fields[2].starts_with(scheme))
        return problem(fmt::format("the third field is sha256:HEX, not {}", in_quotes(fields[2])));
      entry_.sha256 = fields[2].substr(scheme.size());
    }
    finish();
  }

  void read_json(std::string_view line) {
    std::set<std::string> keys;
    std::string twice;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::key && depth == 1 && !keys.insert(value.get<std::string>()).second)
        twice = value.get<std::string>();
      return true;
    };
    const Json object = Json::parse(line, watch, false);
    if (object.is_discarded()) return problem("this is no JSON object on one line");
    if (!twice.empty()) return problem(fmt::format("the key {} is there twice", in_quotes(twice)));
    for (const auto& [key, value] : object.items())
      if (!read_member(key, value)) return;
    if (object.contains("url") && object.contains("urls"))
      return problem("this object has both \"url\" and \"urls\"");
    if (!object.contains("url") && !object.contains("urls")) return problem("this object has no \"url\"");
    finish();
  }

 private:
  bool read_member(const std::string& key, const Json& value) {
    constexpr std::array<std::string_view, 4> known{"url", "urls", "output", "sha256"};
    if (std::ranges::find(known, key) == known.end()) {
      const auto near = nearest(key, known);
      problem(fmt::format("unknown key {}; {}", in_quotes(key),
                          near ? fmt::format("did you mean \"{}\"?", *near)
                               : "there are \"url\", \"urls\", \"output\" and \"sha256\""));
      return false;
    }
    if (key == "urls") return read_urls(value);
    if (!value.is_string()) {
      problem(fmt::format("\"{}\" is text", key));
      return false;
    }
    if (key == "url") entry_.url = value.get<std::string>();
    if (key == "output") entry_.output = value.get<std::string>();
    if (key == "sha256") entry_.sha256 = value.get<std::string>();
    return true;
  }

  bool read_urls(const Json& value) {
    const bool all_text = value.is_array() && !value.empty() &&
                          std::ranges::all_of(value, [](const Json& item) { return item.is_string(); });
    if (!all_text) {
      problem("\"urls\" is a list of URLs");
      return false;
    }
    entry_.url = value.front().get<std::string>();
    for (std::size_t i = 1; i < value.size(); ++i) {
      auto url = value[i].get<std::string>();
      if (url == entry_.url || std::ranges::find(entry_.mirrors, url) != entry_.mirrors.end()) {
        problem("\"urls\" has a URL twice");
        return false;
      }
      entry_.mirrors.push_back(std::move(url));
    }
    return true;
  }

  void finish() {
    if (auto fault = problem_with_url(entry_.url)) return problem(*fault);
    for (const std::string& url : entry_.mirrors)
      if (auto fault = problem_with_url(url)) return problem(*fault);
    if (entry_.sha256) {
      auto hex = read_sha256(*entry_.sha256);
      if (!hex) return problem(not_a_sha256);
      entry_.sha256 = std::move(hex);
    }
    list_.entries.push_back(std::move(entry_));
  }

  void problem(std::string_view text) {
    list_.problems.push_back(fmt::format("{}: {}", entry_.place.spell(), text));
  }

  UrlList& list_;
  UrlEntry entry_;
};

}  // namespace

std::string EntryPlace::spell() const {
  return list == nullptr ? fmt::format("argument {}", number) : fmt::format("{}:{}", *list, number);
}

std::optional<std::string> read_sha256(std::string_view text) {
  if (text.size() != 64) return std::nullopt;
  std::string hex(text);
  for (char& c : hex) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
  }
  return hex;
}

std::optional<std::string> problem_with_url(std::string_view url) {
  const auto fault = fault_in_url(url);
  if (!fault) return std::nullopt;
  // What stands before an @ may be a password, whatever else is wrong; messages that quote the URL don't
  // then.
  if (url.contains('@') && !url.contains("://"))
    return "this is no URL; a URL begins with http:// or https://";
  return fault->hint.empty() ? fault->message : fmt::format("{}; {}", fault->message, fault->hint);
}

void read_url_list(std::string_view name, std::string_view text, UrlList& list) {
  const auto shown_name = std::make_shared<const std::string>(inert(name));
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  if (lines >
      list.entries.capacity() - list.entries.size())  // At least twice as many: there may be many lists.
    list.entries.reserve(std::max(list.entries.size() + lines, 2 * list.entries.capacity()));
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    Line reader({shown_name, number}, list);
    line.starts_with('{') ? reader.read_json(line) : reader.read_fields(line);
  }
}

std::string list_line(const UrlEntry& entry) {
  if (!entry.mirrors.empty()) {
    nlohmann::ordered_json object;
    object["urls"] = entry.mirrors;
    object["urls"].insert(object["urls"].begin(), entry.url);
    if (entry.output) object["output"] = *entry.output;
    if (entry.sha256) object["sha256"] = *entry.sha256;
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::string line = entry.url;
  if (entry.output || entry.sha256) line += "\t" + entry.output.value_or("");
  if (entry.sha256) line += "\tsha256:" + *entry.sha256;
  return line + "\n";
}

}  // namespace gather::job
