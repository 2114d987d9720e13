/// `stdin:` of a task: text, or a mapping that says where it comes from.
#include "core/job/check/check.hpp"

#include <fmt/format.h>

#include <array>

namespace gather::job {
namespace {

constexpr std::string_view example = "as in `stdin: text`, or `stdin: {file: data.csv}`";

struct StdinDraft {
  Value from;  ///< The first key.
  StandardInput input;
  Value task;
  bool is_defaults = false;
};

/// False, and found, if there was another key before.
bool is_first(Reader& reader, Member member, StdinDraft& draft) {
  if (draft.from) {
    reader.error(member.key,
                 fmt::format("`stdin` comes from one place, and {} is one already", code(draft.from.text())),
                 "remove one of them");
    return false;
  }
  draft.from = member.key;
  return true;
}

constexpr auto keys = std::to_array<Key<StdinDraft>>({
    {"file",
     [](Reader& r, Member m, StdinDraft& to) {
       if (!is_first(r, m, to)) return;
       const auto path = r.text(m.value);
       if (path && path->empty())
         r.error(m.value, "the file's name is empty", "as in `stdin: {file: data.csv}`");
       if (path) to.input.from = StandardInput::File{std::filesystem::path(*path)};
     }},
    {"json",
     [](Reader& r, Member m, StdinDraft& to) {
       if (is_first(r, m, to) && r.known(m.value)) to.input.from = to_json(m.value);
     }},
    {"task",
     [](Reader& r, Member m, StdinDraft& to) {
       if (!is_first(r, m, to)) return;
       if (to.is_defaults)
         return r.error(m.key, "the output of one task can't be the standard input of all",
                        "move it into the task that reads it");
       const Reader::LateValues refused(r, false);
       if (r.scalar(m.value, "the id of a task")) to.task = m.value;
     }},
});

}  // namespace

void read_stdin(Reader& reader, Member member, TaskDraft& draft) {
  const Reader::LateValues allowed(reader, !draft.is_defaults);
  draft.stdin_key = draft.is_defaults ? Value() : member.key;
  StdinDraft stdin_draft;
  stdin_draft.is_defaults = draft.is_defaults;
  if (member.value.is_list()) return reader.expected(member.value, "text or a mapping", std::string(example));
  if (!member.value.is_map()) {
    const auto text = reader.text(member.value);
    if (!text) return;
    stdin_draft.input.from = std::string(*text);
  } else {
    if (member.value.children() == 0)
      return reader.error(member.value, "this says nothing of where it comes from", std::string(example));
    reader.keys(member.value, keys, stdin_draft);
  }
  draft.stdin_task = stdin_draft.task;
  draft.task.input = std::make_shared<const StandardInput>(std::move(stdin_draft.input));
}

}  // namespace gather::job
