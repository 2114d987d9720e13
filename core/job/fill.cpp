#include "core/job/fill.hpp"

#include "core/job/core_schema.hpp"
#include "core/job/url.hpp"

#include <fmt/format.h>

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
      return key == "fetch" ? Place::fetch : key == "shell" ? Place::verbatim : Place::other;
    case Place::fetch:
      return key == "url" ? Place::url : key == "urls" ? Place::urls : Place::other;
    default:
      return parent == Place::verbatim ? Place::verbatim : Place::other;
  }
}

Place place_of_items(Place parent) {
  if (parent == Place::urls) return Place::url;
  return parent == Place::verbatim ? Place::verbatim : Place::other;
}

/// From the environment and the command line all comes as text.
bool is_number(std::string_view text) {
  const Type type = type_of(text);
  return (type == Type::integer || type == Type::real) && !text.starts_with('+') &&
         !(text.size() > 1 && text.starts_with('0') && text[1] != '.');
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
    for (const Value item : Items(value)) copy(item, place_of_items(place));
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
  if (inserting_ || place == Place::verbatim || !waits)
    return composer_.scalar(value.text(), inserting_.value_or(value.extent()), value.plain()).node;
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
    all = all && meaning;
    later = later || (meaning && std::holds_alternative<Later>(*meaning));
    meanings.push_back(meaning ? std::move(*meaning) : Meaning());
  }
  if (!all) return nothing(value);
  if (later) return composer_.late_scalar(value.text(), value.extent()).node;
  if (const Path* const path = text->whole()) return insert(value, *path, meanings.front());
  const auto filled = joined(value, *text, meanings, place);
  if (!filled) return nothing(value);
  return composer_.scalar(*filled, value.extent(), false).node;
}

std::uint32_t Filler::insert(Value at, const Path& path, const Meaning& meaning) {
  if (const auto* const text = std::get_if<std::string>(&meaning))
    return composer_.scalar(*text, at.extent(), is_number(*text)).node;
  const Value value = std::get<Value>(meaning);
  if (is_null(value)) {
    fault(at, fmt::format("{} is null", code(path.spell())));
    return nothing(at);
  }
  inserting_ = at.extent();
  const std::uint32_t node = copy(value, Place::verbatim);
  inserting_.reset();
  return node;
}

std::optional<std::string> Filler::joined(Value at, const Template& text,
                                          const std::vector<Meaning>& meanings, Place place) {
  std::string all;
  for (std::size_t i = 0; i < meanings.size(); ++i) {
    const auto* const path = std::get_if<Path>(&text.pieces[i]);
    if (const auto* const part = std::get_if<Value>(&meanings[i])) {
      if (!part->is_scalar() || is_null(*part)) {
        fault(at,
              fmt::format("{} is {}, which can't be part of a text", code(path->spell()),
                          part->is_list()  ? "a list"
                          : part->is_map() ? "a mapping"
                                           : "null"),
              part->is_scalar() ? "" : "a list or a mapping can only be all of a value");
        return std::nullopt;
      }
    }
    const auto* const written = std::get_if<std::string>(&meanings[i]);
    const std::string_view more = written != nullptr ? *written : std::get<Value>(meanings[i]).text();
    // What a URL begins with may be most of it; a value further on stays inside the part that it is written
    // in.
    const bool encode = path != nullptr && place == Place::url && !all.empty();
    if (too_much(at, more.size())) return std::nullopt;
    all += encode ? percent_encoded(more) : more;
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
