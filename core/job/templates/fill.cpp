#include "core/job/templates/fill.hpp"

#include "core/job/document/core_schema.hpp"
#include "core/job/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace gather::job {
namespace {

Place place_of(Place parent, std::string_view key) {
  switch (parent) {
    case Place::top:
      // `vars` have been filled in before.
      return key == "tasks"      ? Place::tasks
             : key == "defaults" ? Place::task
             : key == "vars"     ? Place::verbatim
                                 : Place::other;
    case Place::tasks:
      return Place::task;
    case Place::task:
      // A script is refused with its templates: see read_shell.
      return key == "fetch"   ? Place::fetch
             : key == "shell" ? Place::verbatim
             : key == "stdin" ? Place::holds_json
                              : Place::other;
    case Place::fetch:
      return key == "url"         ? Place::url
             : key == "urls"      ? Place::urls
             : key == "checksums" ? Place::url_or_path
             : key == "expect"    ? Place::holds_json
             : key == "json"      ? Place::data
                                  : Place::other;
    case Place::holds_json:
      return key == "json" ? Place::data : Place::other;
    case Place::data:
    case Place::verbatim:
      return parent;
    default:
      return Place::other;
  }
}

Place place_of_items(Place parent) {
  if (parent == Place::urls) return Place::url;
  return parent == Place::verbatim || parent == Place::data ? parent : Place::other;
}

bool is_url(Place place, const Template& text) {
  if (place != Place::url_or_path) return place == Place::url;
  const auto* const beginning = std::get_if<std::string>(&text.pieces.front());
  return beginning != nullptr && (beginning->starts_with("http://") || beginning->starts_with("https://"));
}

/// Whether what comes next belongs to the host and port.
bool is_in_authority(std::string_view url) {
  const std::size_t begin = url.find("://");
  return begin != std::string_view::npos && url.find_first_of("/?#", begin + 3) == std::string_view::npos;
}

/// How many parts of its path are `.` or `..`, which lead elsewhere.
std::size_t dot_segments(std::string_view url) {
  const std::size_t begin = std::min(url.find("://"), url.size());
  std::string_view path = url.substr(begin, std::min(url.find_first_of("?#"), url.size()) - begin);
  std::size_t count = 0;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    if (part == "." || part == "..") ++count;
    path.remove_prefix(std::min(part.size() + 1, path.size()));
  }
  return count;
}

/// From the environment and the command line all comes as text.
bool is_number(std::string_view text) {
  const Type type = type_of(text);
  return (type == Type::integer || type == Type::real) && !text.starts_with('+') &&
         !(text.size() > 1 && text.starts_with('0') && text[1] != '.');
}

std::string null_fault(const Path& path) {
  return fmt::format("{} is null{}", code(path.spell()),
                     path.root == "tasks" ? ": its JSON says so, or the server was not asked for it" : "");
}

/// What has a fault that has been found: see Filler::nothing.
bool has_fault(const Meaning& meaning) {
  const auto* const value = std::get_if<Value>(&meaning);
  return value != nullptr && value->is_scalar() && value->late() && value->text().empty();
}

bool is_null(Value value) {
  return value.is_scalar() && value.plain() && type_of(value.text()) == Type::null;
}

}  // namespace

std::uint32_t Filler::copy(Value value, Place place) {
  if (inserting_) {
    ++nodes_;
    if (too_much(value, value.is_scalar() ? value.text().size() : 0)) return 0;
  }
  return value.is_scalar() ? copy_text(value, place == Place::fetch ? Place::url : place)
                           : copy_children(value, place);
}

std::uint32_t Filler::copy_children(Value value, Place place) {
  if (broken_ || !composer_.open(value.kind(), inserting_.value_or(value.extent()))) {
    broken_ = true;
    return 0;
  }
  if (value.is_list()) {
    for (const Value item : Items(value)) {
      copy(item, place_of_items(place));
      if (broken_) return 0;  // Frames are open further in: what is closed now would be one of those.
    }
  } else {
    for (const auto [key, member] : Members(value)) {
      if (of_ == Of::file && place != Place::verbatim && has_template(key.text()))
        fault(key, "a template can't stand in a key", "templates fill in values");
      composer_.scalar(key.text(), inserting_.value_or(key.extent()), key.plain());
      copy(member, place_of(place, key.text()));
      if (broken_) return 0;
    }
  }
  return composer_.close().node;
}

std::uint32_t Filler::copy_text(Value value, Place place) {
  const bool waits = of_ == Of::file ? has_template(value.text()) : value.late();
  if (inserting_ || place == Place::verbatim || !waits) {
    const Extent extent = inserting_.value_or(value.extent());
    if (value.late()) return composer_.late_scalar(value.text(), extent).node;
    return value.filled() || inserting_ ? composer_.filled_scalar(value.text(), extent, value.plain()).node
                                        : composer_.scalar(value.text(), extent, value.plain()).node;
  }
  const auto text = parse_template(value.text());
  if (!text) {
    fault(value, text.error());
    return nothing(value);
  }
  std::vector<Meaning> meanings;
  bool all = true;
  bool later = false;
  for (const auto& piece : text->pieces) {
    const auto* const path = std::get_if<Path>(&piece);
    if (path == nullptr) {
      meanings.emplace_back(std::get<std::string>(piece));
      continue;
    }
    auto meaning = scope_.meaning(*path);
    if (!meaning) fault(value, std::move(meaning.error().message), std::move(meaning.error().hint));
    all = all && meaning && !has_fault(*meaning) &&
          (text->whole() != nullptr || can_be_joined(value, *path, *meaning));
    later = later || (meaning && std::holds_alternative<Later>(*meaning));
    meanings.push_back(meaning ? std::move(*meaning) : Meaning());
  }
  if (!all) return nothing(value);
  if (later) return composer_.late_scalar(value.text(), value.extent()).node;
  if (const Path* const path = text->whole()) return insert(value, *path, meanings.front(), place);
  const auto filled = joined(value, *text, meanings, place);
  if (!filled) return nothing(value);
  return composer_.filled_scalar(*filled, value.extent(), false).node;
}

std::uint32_t Filler::insert(Value at, const Path& path, const Meaning& meaning, Place place) {
  if (const auto* const text = std::get_if<std::string>(&meaning))
    return composer_.filled_scalar(*text, at.extent(), is_number(*text)).node;
  const Value value = std::get<Value>(meaning);
  if (is_null(value)) {
    fault(at, null_fault(path), path.root == "vars" ? "`--set NAME=VALUE` gives one for a run" : "");
    return nothing(at);
  }
  // The keys of a mapping say what is done; that is for who writes the file.
  if (of_ == Of::task && !value.is_scalar() && place != Place::data &&
      !(place == Place::urls && value.is_list())) {
    fault(at, fmt::format("{} is {}, and of a result that can stand below `json` alone", code(path.spell()),
                          value.is_list() ? "a list" : "a mapping"));
    return nothing(at);
  }
  inserting_ = at.extent();
  const std::uint32_t node = copy(value, Place::verbatim);
  inserting_.reset();
  return node;
}

bool Filler::can_be_joined(Value at, const Path& path, const Meaning& meaning) {
  const auto* const part = std::get_if<Value>(&meaning);
  if (part == nullptr) return true;
  if (is_null(*part))
    fault(at, null_fault(path));
  else if (!part->is_scalar())
    fault(at,
          fmt::format("{} is {}, which can't be part of a text", code(path.spell()),
                      part->is_list() ? "a list" : "a mapping"),
          "a list or a mapping can only be all of a value");
  return part->is_scalar() && !is_null(*part);
}

std::optional<std::string> Filler::joined(Value at, const Template& text,
                                          const std::vector<Meaning>& meanings, Place place) {
  const bool in_url = is_url(place, text);
  std::string all;
  std::string harmless;  // With something else in the place of what is filled in behind the beginning.
  for (std::size_t i = 0; i < meanings.size(); ++i) {
    const auto* const path = std::get_if<Path>(&text.pieces[i]);
    const auto* const written = std::get_if<std::string>(&meanings[i]);
    const std::string_view more = written != nullptr ? *written : std::get<Value>(meanings[i]).text();
    if (too_much(at, more.size())) return std::nullopt;
    // What a URL begins with may be most of it; a value further on stays inside the part where it is written.
    const bool encode = path != nullptr && i != 0 && in_url;
    all += encode ? percent_encoded(more, is_in_authority(all) ? ":[]" : "") : more;
    harmless += encode ? "x" : more;
  }
  if (in_url && dot_segments(all) != dot_segments(harmless)) {
    fault(at, fmt::format("a `.` or `..` that is filled in makes another path of {}", code(all)));
    return std::nullopt;
  }
  return all;
}

void Filler::fault(Value at, std::string message, std::string hint) {
  composer_.findings().error(at.extent(), std::move(message), std::move(hint));
}

bool Filler::too_much(Value at, std::uint64_t bytes) {
  bytes_ += bytes;
  if (nodes_ <= most_aliased_nodes && bytes_ <= most_aliased_bytes) return broken_;
  if (!broken_)
    composer_.findings().only(inserting_.value_or(at.extent()),
                              "templates fill in more than 100,000 values or 256 MB of text");
  return broken_ = true;
}

}  // namespace gather::job
