#include "core/job/check/schema.hpp"

#include "core/base/quote.hpp"
#include "core/base/suggest.hpp"
#include "core/job/document/core_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gather::job {
namespace {

std::string described(Value value) {
  if (value.is_list()) return "a list";
  if (value.is_map()) return "a mapping";
  if (value.absent()) return "nothing";
  return value.plain() ? code(value.text()) : in_quotes(value.text());
}

/// Words of other tools for our keys.
constexpr auto synonyms = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"depends_on", "needs"},
    {"dependencies", "needs"},
    {"deps", "needs"},
    {"after", "needs"},
    {"command", "run"},
    {"cmd", "run"},
    {"exec", "run"},
    {"args", "run"},
    {"script", "shell"},
    {"bash", "shell"},
    {"sh", "shell"},
    {"http", "fetch"},
    {"download", "fetch"},
    {"url", "fetch"},
    {"wait", "sleep"},
    {"retries", "retry"},
    {"workdir", "cwd"},
    {"working_dir", "cwd"},
    {"dir", "cwd"},
    {"environment", "env"},
    {"concurrency", "jobs"},
    {"parallel", "jobs"},
    {"procs", "processes"},
    {"max_parallel", "jobs"},
    {"max_attempts", "attempts"},
    {"data", "body"},
    {"file", "output"},
    {"save_to", "output"},
    {"steps", "tasks"},
    {"stages", "tasks"},
    {"label", "tags"},
    {"labels", "tags"},
    {"pools", "pool"},
    {"threads", "weight"},
    {"slots", "weight"},
});

constexpr std::string_view for_colon = "a blank follows the `:` behind a key";

/// `sleep:1`, which YAML reads as one text.
bool lacks_blank(Value value) {
  return value.is_scalar() && value.plain() && value.text().find(':') != std::string_view::npos &&
         value.text().find("://") == std::string_view::npos;
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += code(word);
  }
  return text;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  for (const auto& [other, ours] : synonyms)
    if (other == word && is_one_of(ours, candidates)) return fmt::format("did you mean {}?", code(ours));
  if (const auto near = nearest(word, candidates)) return fmt::format("did you mean {}?", code(*near));
  return {};
}

void Reader::unknown(Value key, std::span<const std::string_view> names) {
  std::string hint = lacks_blank(key) ? std::string(for_colon) : did_you_mean(key.text(), names);
  if (hint.empty()) hint = "one of " + listed(names);
  error(key, "unknown key " + code(key.text()), std::move(hint));
}

void Reader::expected(Value value, std::string_view wanted, std::string hint) {
  if (value.is_scalar() && value.late()) return late(value);
  error(value, fmt::format("expected {}, found {}", wanted, described(value)), std::move(hint));
}

bool Reader::has_value(Member member, std::string_view hint) {
  if (!member.value.absent()) return true;
  error(member.key, code(member.key.text()) + " has no value", std::string(hint));
  return false;
}

void Reader::late(Value value) {
  if (late_allowed_ || value.text().empty())
    met_late_ = true;
  else
    error(value, "this is needed before any task has run, and `tasks` and `run` are known only then",
          "templates with them can stand in a task's `run`, `fetch`, `env`, `cwd` and `stdin`");
}

bool holds_late(Value value) {  // Recursion is safe: a document is at most `deepest` levels deep.
  if (value.is_scalar()) return value.late();
  for (Value child = value.first(); child; child = child.next())
    if (holds_late(child)) return true;
  return false;
}

bool Reader::known(Value value) {
  if (value.is_scalar()) {
    if (value.late()) late(value);
    return !value.late();
  }
  bool all = true;
  for (Value child = value.first(); child; child = child.next()) all = known(child) && all;
  return all;
}

std::optional<std::string_view> Reader::scalar(Value value, std::string_view wanted) {
  if (!value.is_scalar()) {
    expected(value, wanted);
    return std::nullopt;
  }
  if (value.late()) {
    late(value);
    return std::nullopt;
  }
  if (value.text().find('\0') != std::string_view::npos) {
    error(value, "a NUL character is not allowed here", "nothing that takes this text can hold one");
    return std::nullopt;
  }
  return value.text();
}

std::optional<std::string_view> Reader::text(Value value) {
  const auto text = scalar(value, "text");
  if (!text || !value.plain() || value.filled()) return text;  // Who fills in can't quote.
  if (value.format() == Format::json) {
    const Type type = type_of(*text);
    if (type != Type::null && type != Type::boolean) return text;
    error(value, fmt::format("expected text, found {}", *text), fmt::format("quote it: \"{}\"", *text));
    return std::nullopt;
  }
  if (text->empty()) {
    error(value, "expected text, found nothing", std::string(for_empty_text));
    return std::nullopt;
  }
  if (const std::string_view other = misread_as(*text); !other.empty())
    findings_.warning(
        value.extent(),
        fmt::format("{} is taken as text here, but many readers of YAML take it for {}", code(*text), other),
        fmt::format("quote it: \"{}\"", *text));
  return text;
}

std::optional<Duration> Reader::duration(Value value) {
  const auto text = scalar(value, "a duration");
  if (!text) return std::nullopt;
  const bool is_real = value.plain() && type_of(*text) == Type::real;
  const auto length = is_real ? duration_from_seconds(*to_real(*text)) : parse_duration(*text);
  if (length) return *length;
  error(value, length.error(),
        value.plain() && text->find(':') != std::string_view::npos ? "for 1:30 write 1m30s" : "");
  return std::nullopt;
}

std::optional<Duration> Reader::positive_duration(Value value) {
  const auto length = duration(value);
  if (!length || *length > Duration::zero()) return length;
  error(value, "this duration must be longer than 0", "leave the key out for no limit");
  return std::nullopt;
}

std::optional<int> Reader::whole(Value value, int least, int most) {
  const auto text = scalar(value, "a whole number");
  if (!text) return std::nullopt;
  const Type type = type_of(*text);
  if (type != Type::integer || !value.plain()) {
    expected(value, "a whole number", type == Type::integer ? "remove the quotes" : "");
    return std::nullopt;
  }
  const auto number = to_integer(*text);
  const bool negative = text->starts_with('-');
  if (number ? *number < least : negative) {
    error(value, fmt::format("must be at least {}", least));
  } else if (number ? *number > most : !negative) {
    error(value, fmt::format("must be at most {}", most));
  } else {
    return static_cast<int>(*number);
  }
  return std::nullopt;
}

std::optional<bool> Reader::boolean(Value value) {
  const auto text = scalar(value, "true or false");
  if (!text) return std::nullopt;
  if (value.plain() && type_of(*text) == Type::boolean)
    return *text == "true" || *text == "True" || *text == "TRUE";
  expected(value, "true or false");
  return std::nullopt;
}

std::optional<std::size_t> Reader::word(Value value, std::span<const std::string_view> words) {
  const auto text = scalar(value, "one of " + listed(words));
  if (!text) return std::nullopt;
  const auto at = std::ranges::find(words, *text);
  if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
  std::string hint = did_you_mean(*text, words);
  error(value, code(*text) + " is not known here",
        hint.empty() ? "one of " + listed(words) : std::move(hint));
  return std::nullopt;
}

std::vector<Value> Reader::one_or_more(Value value, std::string_view wanted) {
  if (value.is_scalar()) return {value};
  std::vector<Value> values;
  if (value.is_map()) {
    expected(value, wanted);
    return values;
  }
  for (const Value item : Items(value)) {
    if (item.absent())
      error(item, "this item of the list is empty", "remove it");
    else
      values.push_back(item);
  }
  return values;
}

bool Reader::is_map(Value value, std::string_view hint) {
  if (value.is_map()) return true;
  expected(value, "a mapping", std::string(lacks_blank(value) ? for_colon : hint));
  return false;
}

bool Reader::is_list(Value value, std::string_view hint) {
  if (!value.is_list()) expected(value, "a list", std::string(hint));
  return value.is_list();
}

}  // namespace gather::job
