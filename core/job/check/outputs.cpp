/// `outputs:` of a task: names, and what each is taken of.
#include "core/job/check/check.hpp"
#include "core/job/expect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace gather::job {
namespace {

struct Source {
  std::string_view word;
  ResultPart part;
  bool of_fetch;
};

constexpr auto sources = std::to_array<Source>({
    {"stdout", ResultPart::out, false},
    {"body", ResultPart::body, true},
    {"status", ResultPart::status, true},
    {"header", ResultPart::header, true},
    {"path", ResultPart::path, true},
    {"sha256", ResultPart::sha256, true},
});

constexpr std::string_view what_processes_have = "`stdout` is its text, `stdout#/items/0` a part of its JSON";
constexpr std::string_view what_fetches_have =
    "`body`, `body#/items/0` for a part of its JSON, `status`, `header#ETag`, `path` or `sha256`";

/// As templates can write it behind a dot.
bool is_name(std::string_view name) {
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  return !name.empty() && letter(static_cast<unsigned char>(name[0])) &&
         std::ranges::all_of(name,
                             [&](unsigned char c) { return letter(c) || std::isdigit(c) != 0 || c == '-'; });
}

const Fetch* fetch_of(const Task& task) {
  const auto* const fetch = std::get_if<std::unique_ptr<const Fetch>>(&task.action);
  return fetch == nullptr ? nullptr : fetch->get();
}

/// Looks at what stands behind the `#`. False, and found, if nothing may stand there, or something must.
bool read_part(Reader& reader, Value value, OutputSpec& output) {
  if (output.of == ResultPart::header) {
    if (output.part && is_token(*output.part)) return true;
    reader.error(value, "this names no header", "as in `header#ETag`");
    return false;
  }
  if (!output.part || (output.reads_text() && is_json_pointer(*output.part))) return true;
  if (output.reads_text())
    reader.error(value, fmt::format("{} is no JSON pointer", code(*output.part)),
                 "as in /items/0/id; nothing is the whole, ~1 is a slash in a name, ~0 is a ~");
  else
    reader.error(value, fmt::format("{} has no parts", code(value.text().substr(0, value.text().find('#')))),
                 "remove what follows the `#`, and the `#`");
  return false;
}

/// False, and found, if a fetch like this has no such thing.
bool can_give(Reader& reader, Value value, const OutputSpec& output, const Fetch& fetch, bool is_complete) {
  if (output.of == ResultPart::path && !fetch.output && !fetch.saving->named_in && is_complete) {
    reader.error(value, "this fetch writes no file", "add an `output` or a `dir` to it");
    return false;
  }
  if (output.of == ResultPart::sha256 && fetch.checksum && fetch.checksum->algorithm != "sha256") {
    reader.error(value,
                 fmt::format("this fetch goes by its {}, and one digest is made of what comes",
                             fetch.checksum->algorithm),
                 "give its `sha256`, or take no `sha256` of it");
    return false;
  }
  if (output.of == ResultPart::header && fetch.paginate) {
    reader.error(value, "each of several pages has headers of its own", "remove this output, or `paginate`");
    return false;
  }
  return true;
}

std::optional<OutputSpec> read_output_of(Reader& reader, Member member, const Task& task) {
  const auto text = reader.text(member.value);
  if (!text) return std::nullopt;
  const std::size_t mark = text->find('#');
  const std::string_view word = text->substr(0, mark);
  const auto* const fetch = fetch_of(task);
  const auto source = std::ranges::find_if(sources, [&](const Source& known) {
    return known.word == word && known.of_fetch == (fetch != nullptr);
  });
  if (source == sources.end()) {
    reader.error(
        member.value,
        fmt::format("{} is nothing that {} gives", code(word), fetch != nullptr ? "a fetch" : "a process"),
        std::string(fetch != nullptr ? what_fetches_have : what_processes_have));
    return std::nullopt;
  }
  OutputSpec output{.name = std::string(member.key.text()), .of = source->part};
  if (mark != std::string_view::npos) output.part = std::string(text->substr(mark + 1));
  if (!read_part(reader, member.value, output)) return std::nullopt;
  if (fetch != nullptr && !can_give(reader, member.value, output, *fetch, !reader.met_late()))
    return std::nullopt;
  return output;
}

}  // namespace

void read_outputs(Reader& reader, Value map, Task& task) {
  if (std::holds_alternative<Milestone>(task.action) || std::holds_alternative<Sleep>(task.action))
    return reader.error(map, "only a process or a fetch has a result",
                        "remove `outputs`, or give the task a `run`, `shell` or `fetch`");
  if (task.tty)
    return reader.error(map, "what a task writes to the terminal (`tty`) is not captured",
                        "remove one of the two");
  std::vector<OutputSpec> outputs;
  for (const Member member : Members(map)) {
    if (!is_name(member.key.text())) {
      reader.error(member.key, fmt::format("{} is no name for an output", code(member.key.text())),
                   "letters, digits, `_` and `-`, beginning with a letter or `_`");
      continue;
    }
    if (!reader.has_value(member)) continue;
    if (auto output = read_output_of(reader, member, task)) outputs.push_back(std::move(*output));
  }
  if (!outputs.empty()) task.outputs = std::make_shared<const std::vector<OutputSpec>>(std::move(outputs));
}

}  // namespace gather::job
