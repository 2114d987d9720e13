#include "core/job/document/parsers.hpp"
#include "core/job/document/yaml_messages.hpp"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gather::job {
namespace {

/// libyaml counts characters; we count bytes. Marks come nearly in order, so walking from the last one is
/// cheap.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  std::uint32_t byte(const yaml_mark_t& mark) {
    for (; characters_ < mark.index && bytes_ < text_.size(); ++characters_) do
        ++bytes_;
      while (continues(bytes_));
    for (; characters_ > mark.index; --characters_) do
        --bytes_;
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
      if (next.event.type == YAML_DOCUMENT_END_EVENT) return check_end(cursor_.byte(next.event.end_mark));
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

  /// The first line from `at` on with more than blanks and a comment, as far as its break; empty at the end.
  Extent next_line(std::size_t at) const {
    while (at < text_.size()) {
      const std::size_t end = std::min(text_.find_first_of("\r\n", at), text_.size());
      const std::size_t first = text_.find_first_not_of(" \t", at);
      if (first < end && text_[first] != '#')
        return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end)};
      at = end + 1;
    }
    const auto size = static_cast<std::uint32_t>(text_.size());
    return {size, size};
  }

  std::string_view text_of(Extent extent) const {
    return text_.substr(extent.begin, extent.end - extent.begin);
  }

  // libyaml compares every %TAG with all before it, so these are met before it sees them.
  bool check_directives() {
    for (Extent line = next_line(0); text_of(line).starts_with('%'); line = next_line(line.end))
      if (!text_of(line).starts_with("%YAML "))
        return findings().only(line, "directives are not supported", "remove the line, or quote the text");
    return true;
  }

  // What follows the first document is not parsed: it may be anything, and hostile. The document stands.
  bool check_end(std::size_t at) {
    Extent line = next_line(at);
    while (text_of(line).starts_with("...")) line = next_line(line.end);
    if (line.begin == line.end) return true;
    const bool is_document = text_of(line).starts_with("---") || text_of(line).starts_with('%');
    findings().error(line,
                     is_document ? "a job file is one document, and here a second one begins"
                                 : "the job has ended, and here something follows",
                     is_document ? "put it into a file of its own"
                                 : "check the indentation: the whole job is one mapping");
    return true;
  }

  bool take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_SEQUENCE_START_EVENT:
        return open(Kind::list, event, event.data.sequence_start.anchor, event.data.sequence_start.tag);
      case YAML_MAPPING_START_EVENT:
        return open(Kind::map, event, event.data.mapping_start.anchor, event.data.mapping_start.tag);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return close();
      case YAML_ALIAS_EVENT:
        return alias(event);
      default:
        return true;
    }
  }

  bool scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const Extent here = extent(event);
    refuse_tag(data.tag, here);
    const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
    const bool plain =
        data.style == YAML_PLAIN_SCALAR_STYLE && data.tag == nullptr;  // `! ` alone has no value.
    const auto made = composer_.scalar(text, here, plain);
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
    if (const auto at = anchors_.find(open_anchors_.back());
        at != anchors_.end() && at->second.made.node == made.node)
      at->second = {made};
    open_anchors_.pop_back();
    return true;
  }

  bool alias(const yaml_event_t& event) {
    const Extent here = extent(event);
    const auto at = anchors_.find(name(event.data.alias.anchor));
    if (at == anchors_.end())
      return findings().only(
          here,
          fmt::format("nothing is named {} before this alias", code("&" + name(event.data.alias.anchor))),
          "quote a text that begins with `*`");
    if (at->second.open)
      return findings().only(here, "this alias stands inside what it names, so it would never end");
    return composer_.repeat(at->second.made, here);
  }

  void refuse_tag(const yaml_char_t* tag, Extent extent) {
    if (tag == nullptr) return;
    findings().error(extent, fmt::format("tags ({}) are not supported", code(short_tag(name(tag)))),
                     "remove it; quote a text that begins with `!`");
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
    const bool near = !message.nearby.empty() && parser_.context_mark.line == parser_.problem_mark.line;
    const bool at_context = message.at_context && parser_.context != nullptr && !near;
    const std::uint32_t begin = at_context ? cursor_.byte(parser_.context_mark) : 0;
    const std::uint32_t problem = cursor_.byte(parser_.problem_mark);
    const std::uint32_t at = at_context ? begin : problem;
    const std::string_view rest = text_.substr(problem);
    if (rest.starts_with('\t'))
      return findings().only({problem, problem + 1}, "a tab can't indent", "indent with spaces");
    if (message.in_flow && !at_context && rest.find_first_not_of(" \r\n") == std::string_view::npos)
      return findings().only({problem, problem + 1}, "the file ends here, inside { } or [ ]",
                             "close what is open");
    if (message.in_flow)
      if (const auto unquoted = template_before(problem))
        return findings().only(*unquoted, "inside { } or [ ] a template must be quoted",
                               "quote \"${{ … }}\" inside { } or [ ]");
    return findings().only({at, at + 1}, std::string(near ? message.nearby : message.message),
                           std::string(message.hint));
  }

  /// The `${{` on the line of `problem` that libyaml stumbled over, if there is one.
  std::optional<Extent> template_before(std::uint32_t problem) const {
    const std::size_t at = text_.substr(0, problem + 1).rfind("${");
    if (at == std::string_view::npos || !text_.substr(at).starts_with("${{")) return std::nullopt;
    if (text_.substr(at, problem - at).find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
    return Extent{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 3)};
  }

  std::string_view text_;
  Cursor cursor_;
  Composer& composer_;
  yaml_parser_t parser_{};
  std::unordered_map<std::string, Anchor> anchors_;
  std::vector<std::string> open_anchors_;  ///< One for each open list or mapping; empty without a name.
};

}  // namespace

bool parse_yaml(std::string_view text, Composer& composer) { return YamlReader(text, composer).read(); }

}  // namespace gather::job
