// The keys of `expect`: what must be true of an answer before it counts.
#include "core/base/size.hpp"
#include "core/job/check/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gather::job {
namespace {

void read_status(Reader& reader, Member member, Expect& to) {
  to.status.listed.clear();
  for (const Value item : reader.one_or_more(member.value, "an HTTP status or a list of them"))
    if (const auto status = reader.whole(item, 100, 599)) to.status.listed.push_back(*status);
  if (member.value.is_list() && member.value.children() == 0)
    reader.error(member.value, "no status would be right", "leave `expect` out for any 2xx");
}

void read_type(Reader& reader, Member member, Expect& to) {
  to.types.clear();
  for (const Value item : reader.one_or_more(member.value, "a media type or a list of them")) {
    const auto text = reader.text(item);
    if (!text) continue;
    const std::size_t slash = text->find('/');
    const std::string_view kind = text->substr(0, slash);
    if (slash == std::string_view::npos || !is_token(kind) || kind == "*" ||
        !is_token(text->substr(slash + 1)))
      reader.error(item, fmt::format("{} is no media type", code(*text)),
                   "as in text/csv or image/*, without parameters");
    else
      to.types.push_back(lower(*text));
  }
}

void read_size(Reader& reader, Member member, Expect& to) {
  const auto text = reader.scalar(member.value, "a size");
  if (!text) return;
  if (const auto size = parse_size(*text))
    to.size = size;
  else
    reader.error(member.value, fmt::format("{} is no size", code(*text)), size_examples);
}

void read_texts(Reader& reader, Value value, std::vector<std::string>& into) {
  into.clear();
  for (const Value item : reader.one_or_more(value, "a text or a list of them"))
    if (const auto text = reader.text(item)) into.emplace_back(*text);
}

void read_patterns(Reader& reader, Value value, std::vector<std::string>& into) {
  into.clear();
  for (const Value item : reader.one_or_more(value, "a regular expression or a list of them")) {
    const auto text = reader.text(item);
    if (!text) continue;
    std::string pattern(*text);
    if (const auto fault = fault_in_pattern(pattern))
      reader.error(item, fmt::format("{} is no regular expression: {}", code(pattern), *fault),
                   "they are written as for grep -E");
    else
      into.push_back(std::move(pattern));
  }
}

constexpr auto body_keys = std::to_array<Key<ExpectedText>>({
    {"contains", [](Reader& r, Member m, ExpectedText& to) { read_texts(r, m.value, to.contains); }},
    {"matches", [](Reader& r, Member m, ExpectedText& to) { read_patterns(r, m.value, to.matches); }},
});

void read_body(Reader& reader, Member member, Expect& to) {
  to.body = {};
  if (!member.value.is_map()) return read_texts(reader, member.value, to.body.contains);
  reader.keys(member.value, body_keys, to.body);
}

constexpr auto header_keys = std::to_array<Key<ExpectedHeader>>({
    {"exists",
     [](Reader& r, Member m, ExpectedHeader& to) {
       if (const auto exists = r.boolean(m.value)) to.exists = *exists;
     }},
    {"equals", [](Reader& r, Member m, ExpectedHeader& to) { read_texts(r, m.value, to.value.equals); }},
    {"contains", [](Reader& r, Member m, ExpectedHeader& to) { read_texts(r, m.value, to.value.contains); }},
    {"matches", [](Reader& r, Member m, ExpectedHeader& to) { read_patterns(r, m.value, to.value.matches); }},
});

void read_header(Reader& reader, Member member, Expect& to) {
  to.headers.clear();
  if (!reader.is_map(member.value, "as in `header: {X-Cache: HIT, ETag: {exists: true}}`")) return;
  for (const Member header : Members(member.value)) {
    ExpectedHeader expected;
    expected.name = header.key.text();
    if (!is_token(expected.name)) {
      reader.error(header.key, fmt::format("{} is no name for a header", code(expected.name)),
                   "letters, digits and `-`, without blanks or `:`");
      continue;
    }
    if (!reader.has_value(header, for_empty_text)) continue;
    if (header.value.is_map())
      reader.keys(header.value, header_keys, expected);
    else
      read_texts(reader, header.value, expected.value.equals);
    if (!expected.exists && !expected.value.empty())
      reader.error(header.value, "a header that must not be there has no value");
    to.headers.push_back(std::move(expected));
  }
}

constexpr auto value_keys = std::to_array<Key<ExpectedValue>>({
    {"exists",
     [](Reader& r, Member m, ExpectedValue& to) {
       if (const auto exists = r.boolean(m.value)) to.exists = *exists;
     }},
    {"equals",
     [](Reader& r, Member m, ExpectedValue& to) {
       if (r.known(m.value)) to.equals = to_json(m.value);
     }},
});

void read_json(Reader& reader, Member member, Expect& to) {
  to.json.clear();
  if (!reader.is_map(member.value, "as in `json: {/state: done, /items/0: {exists: true}}`")) return;
  for (const Member value : Members(member.value)) {
    ExpectedValue expected;
    expected.pointer = value.key.text();
    if (!is_json_pointer(expected.pointer)) {
      reader.error(value.key, fmt::format("{} is no JSON pointer", code(expected.pointer)),
                   "as in /items/0/id; \"\" is the whole, ~1 is a slash in a name, ~0 is a ~");
      continue;
    }
    if (value.value.is_map())
      reader.keys(value.value, value_keys, expected);
    else if (reader.has_value(value, "write `null` for JSON's null") && reader.known(value.value))
      expected.equals = to_json(value.value);
    if (!expected.exists && expected.equals) reader.error(value.value, "what must not be there has no value");
    to.json.push_back(std::move(expected));
  }
}

constexpr auto keys = std::to_array<Key<Expect>>({
    {"status", read_status},
    {"type", read_type},
    {"size", read_size},
    {"json", read_json},
    {"header", read_header},
    {"body", read_body},
});

}  // namespace

void read_expect(Reader& reader, Member member, FetchDraft& draft) {
  if (!reader.is_map(member.value, "as in `expect: {status: 200}`")) return;
  Expect expect = draft.fetch.expect ? *draft.fetch.expect : Expect{};  // That of the defaults.
  reader.keys(member.value, keys, expect);
  draft.fetch.expect = std::make_shared<const Expect>(std::move(expect));
}

}  // namespace gather::job
