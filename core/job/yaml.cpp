#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/job/parsers.hpp"
#include "core/job/yaml_messages.hpp"

namespace gather::job {
namespace {

/// libyaml counts characters; we count bytes. Marks come nearly in order, so walking from the last one is cheap.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  std::uint32_t byte(const yaml_mark_t& mark) {
    for (; characters_ < mark.index && bytes_ < text_.size(); ++characters_)
      do ++bytes_;
      while (continues(bytes_));
    for (; characters_ > mark.index; --characters_)
      do --bytes_;
      while (continues(bytes_));
    return static_cast<std::uint32_t>(bytes_);
  }

 private:
  bool continues(std::size_t i) const {
    return i < text_.size() && (static_cast<unsigned char>(text_[i]) & 0xc0) == 0x80;
  }

  std::string_view text_;
  std::size_t characters_ = 0;
  std::size_t bytes_ = 0;
};

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }

  yaml_event_t event{};
};

class YamlReader {
 public:
  YamlReader(std::string_view text, Composer& composer) : text_(text), cursor_(text), composer_(composer) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  ~YamlReader() { yaml_parser_delete(&parser_); }

  bool read() {
    if (!check_directives()) return false;
    for (;;) {
      Event next;
      if (yaml_parser_parse(&parser_, &next.event) == 0) return syntax_error();
      if (next.event.type == YAML_STREAM_END_EVENT) return true;
      if (next.event.type == YAML_DOCUMENT_START_EVENT && ++documents_ > 1) {
        findings().error(extent(next.event), "a job file is one document, and here a second one begins",
                         "put it into a file of its own");
        return true;
      }
      if (!take(next.event)) return false;
    }
  }

 private:
  struct Anchor {
    Composer::Made made;
    bool open = false;  ///< Its list or mapping has not ended: an alias to it would hold itself.
  };

  Findings& findings() { return composer_.findings(); }

  Extent extent(const yaml_event_t& event) {
    const std::uint32_t begin = cursor_.byte(event.start_mark);
    return {begin, cursor_.byte(event.end_mark)};
  }

  // libyaml compares every %TAG with all before it, so these are met before it sees them.
  bool check_directives() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t end = std::min(text_.find_first_of("\r\n", at), text_.size());
      const std::string_view line = text_.substr(at, end - at);
      const std::size_t first = line.find_first_not_of(" \t");
      if (line.starts_with('%') && !line.starts_with("%YAML "))
        return findings().only({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end)},
                               "directives are not supported", "remove the line, or quote the text");
      if (first != std::string_view::npos && line[first] != '#' && line[first] != '%') break;
      at = end + 1;
    }
    return true;
  }

  bool take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT: return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return open(Kind::list, event, event.data.sequence_start.anchor, event.data.sequence_start.tag);
      case YAML_MAPPING_START_EVENT:
        return open(Kind::map, event, event.data.mapping_start.anchor, event.data.mapping_start.tag);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: return close();
      case YAML_ALIAS_EVENT: return alias(event);
      default: return true;
    }
  }

  bool scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const Extent here = extent(event);
    refuse_tag(data.tag, here);
    const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
    const auto made = composer_.scalar(text, here, data.style == YAML_PLAIN_SCALAR_STYLE);
    if (data.anchor != nullptr) anchors_[name(data.anchor)] = {made};
    return true;
  }

  bool open(Kind kind, const yaml_event_t& event, const yaml_char_t* anchor, const yaml_char_t* tag) {
    const std::uint32_t begin = cursor_.byte(event.start_mark);
    refuse_tag(tag, {begin, begin + 1});
    if (!composer_.open(kind, {begin, begin + 1})) return false;
    open_anchors_.push_back(anchor == nullptr ? std::string() : name(anchor));
    if (anchor != nullptr) anchors_[name(anchor)] = {{composer_.opened(), {}}, true};
    return true;
  }

  bool close() {
    const auto made = composer_.close();
    // Unless the name was given again inside.
    if (const auto at = anchors_.find(open_anchors_.back()); at != anchors_.end() && at->second.made.node == made.node)
      at->second = {made};
    open_anchors_.pop_back();
    return true;
  }

  bool alias(const yaml_event_t& event) {
    const Extent here = extent(event);
    const auto at = anchors_.find(name(event.data.alias.anchor));
    if (at == anchors_.end())
      return findings().only(here, fmt::format("nothing is named {} before this alias", code("&" + name(event.data.alias.anchor))),
                             "quote a text that begins with `*`");
    if (at->second.open) return findings().only(here, "this alias stands inside what it names, so it would never end");
    return composer_.repeat(at->second.made, here);
  }

  void refuse_tag(const yaml_char_t* tag, Extent extent) {
    if (tag == nullptr) return;
    findings().error(extent, fmt::format("tags ({}) are not supported", code(short_tag(name(tag)))),
                     "remove it; quotes make a value text");
  }

  static std::string short_tag(const std::string& tag) {
    constexpr std::string_view standard = "tag:yaml.org,2002:";
    return tag.starts_with(standard) ? "!!" + tag.substr(standard.size()) : tag;
  }

  static std::string name(const yaml_char_t* text) { return reinterpret_cast<const char*>(text); }

  bool syntax_error() {
    if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    const auto text = [](const char* words) { return std::string_view(words == nullptr ? "" : words); };
    const YamlMessage message = explain_yaml(text(parser_.problem), text(parser_.context));
    const bool at_context = message.at_context && parser_.context != nullptr;
    const std::uint32_t at = cursor_.byte(at_context ? parser_.context_mark : parser_.problem_mark);
    return findings().only({at, at + 1}, std::string(message.message), hint_for(message, at));
  }

  std::string hint_for(const YamlMessage& message, std::uint32_t at) const {
    const std::size_t line = text_.find_last_of("\r\n", at == 0 ? 0 : at - 1) + 1;
    const std::string_view before = text_.substr(line, at >= line ? at - line + 1 : 0);
    if (message.in_flow && before.find("${{") != std::string_view::npos) return "quote \"${{ … }}\" inside { } or [ ]";
    return std::string(message.hint);
  }

  std::string_view text_;
  Cursor cursor_;
  Composer& composer_;
  yaml_parser_t parser_{};
  int documents_ = 0;
  std::unordered_map<std::string, Anchor> anchors_;
  std::vector<std::string> open_anchors_;  ///< One for each open list or mapping; empty without a name.
};

}  // namespace

bool parse_yaml(std::string_view text, Composer& composer) { return YamlReader(text, composer).read(); }

}  // namespace gather::job
