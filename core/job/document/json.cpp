#include "core/job/document/parsers.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace gather::job {
namespace {

/// nlohmann's parser says what there is, and this finds where: between two tokens stand only blanks, commas
/// and colons, so each token is found from the end of the one before.
class JsonReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonReader(std::string_view text, Composer& composer) : text_(text), composer_(composer) {}

  bool null() override { return plain(4); }
  bool boolean(bool value) override { return plain(value ? 4 : 5); }
  bool number_integer(number_integer_t) override { return number(); }
  bool number_unsigned(number_unsigned_t) override { return number(); }
  bool number_float(number_float_t, const string_t&) override { return number(); }
  bool string(string_t& value) override { return in_quotes(value); }
  bool key(string_t& value) override { return in_quotes(value); }
  bool binary(binary_t&) override { return false; }  // Not in JSON.

  bool start_object(std::size_t) override { return composer_.open(Kind::map, token(1)); }
  bool start_array(std::size_t) override { return composer_.open(Kind::list, token(1)); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }

  bool parse_error(std::size_t read, const std::string&, const nlohmann::json::exception& error) override;

 private:
  Extent token(std::size_t length) {
    const std::size_t begin = std::min(text_.find_first_not_of(" \t\r\n,:", end_), text_.size());
    end_ = std::min(begin + length, text_.size());
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end_)};
  }

  bool plain(std::size_t length) {
    const Extent here = token(length);
    composer_.scalar(text_.substr(here.begin, length), here, true);
    return true;
  }

  bool number() {
    const std::size_t begin = token(0).begin;
    return plain(std::min(text_.find_first_not_of("+-.0123456789eE", begin), text_.size()) - begin);
  }

  bool in_quotes(const std::string& value) {
    const std::size_t begin = token(1).begin;
    std::size_t at = begin + 1;
    while (at < text_.size() && text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
    end_ = at + 1;
    composer_.scalar(value, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end_)}, false);
    return true;
  }

  bool end() {
    token(1);
    composer_.close();
    return true;
  }

  std::string_view text_;
  Composer& composer_;
  std::size_t end_ = 0;  ///< Of the last token.
};

/// What stands in `what` between `lead` and the next of `ends`; empty without the lead.
std::string_view between(std::string_view what, std::string_view lead, std::string_view end) {
  const std::size_t at = what.find(lead);
  if (at == std::string_view::npos) return {};
  what.remove_prefix(at + lead.size());
  return what.substr(0, what.find(end));
}

/// nlohmann's names of tokens in our words.
std::string_view wanted(std::string_view token) {
  if (token == "'}'") return "a comma or `}`";
  if (token == "']'") return "a comma or `]`";
  if (token == "':'") return "a `:`";
  if (token == "string literal") return "a key in double quotes";
  if (token == "end of input") return "the end of the file";
  return "a value";
}

std::string hint_for(std::string_view text, std::size_t at, std::string_view what) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.find_last_not_of(" \t\r\n", at - 1);
  const char c = at < text.size() ? text[at] : '\0';
  if ((c == '}' || c == ']') && before != std::string_view::npos && text[before] == ',')
    return "remove the comma before it";
  if (c >= '0' && c <= '9' && at > 0 && text[at - 1] == '0') return "a number does not begin with 0";
  if (c == '\'') return "JSON texts stand in double quotes";
  if (c == '/' || c == '#') return "JSON has no comments; YAML has";
  if (what.find("invalid literal") != std::string_view::npos)
    return "texts and keys stand in double quotes; bare words are only true, false and null";
  if (what.find("missing closing quote") != std::string_view::npos ||
      what.find("U+000A") != std::string_view::npos)
    return "close the quote on the same line; a line break is written \\n";
  if (what.find("after backslash") != std::string_view::npos) return "write two backslashes for one";
  return {};
}

bool JsonReader::parse_error(std::size_t read, const std::string&, const nlohmann::json::exception& error) {
  // "…: syntax error while parsing value - unexpected X; expected Y", or "… - invalid Z; last read: …".
  const std::string_view what = error.what();
  Findings& findings = composer_.findings();
  // `read` counts the byte that was one too many; a word, number or text is shown from where it begins.
  std::size_t at = std::min(read == 0 ? 0 : read - 1, text_.size());
  const std::string_view unexpected = between(what, "unexpected ", ";");
  const bool out_of_range = error.id == 406;
  if (out_of_range || unexpected.empty() || unexpected.ends_with("literal"))
    at = std::min<std::size_t>(at, token(0).begin);
  if (unexpected == "end of input") at = text_.find_last_not_of(" \t\r\n");  // There is one: see parse_json.
  const Extent here{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 1)};
  if (out_of_range) return findings.only(here, "this number is too large", "quote it if it is meant as text");
  std::string message;
  if (unexpected == "end of input")
    message =
        fmt::format("the file ends here, where {} is expected", wanted(between(what, "; expected ", ";")));
  else if (!unexpected.empty())
    message = fmt::format("{} is expected here", wanted(between(what, "; expected ", ";")));
  else
    message = fmt::format("this is not JSON: {}", between(what, " - ", "; last read: "));
  return findings.only(here, std::move(message), hint_for(text_, at, what));
}

}  // namespace

bool parse_json(std::string_view text, Composer& composer) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return true;  // Empty, as in YAML.
  JsonReader reader(text, composer);
  return nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
}

}  // namespace gather::job
