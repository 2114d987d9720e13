/// The keys of a fetch that say what its file is called.
#include "core/job/check/fetch.hpp"
#include "core/job/fetch_job.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace gather::job {
namespace {

/// Files stay below the folder of the job file, so that a job from a stranger overwrites nothing elsewhere.
std::optional<std::filesystem::path> path_in_folder(Reader& reader, Value value, std::string_view what,
                                                    std::string hint) {
  const auto text = reader.text(value);
  if (!text) return std::nullopt;
  auto path = std::filesystem::path(*text).lexically_normal();
  if (!path.is_absolute() && (path.empty() || *path.begin() != "..")) return path;
  reader.error(value, fmt::format("this {} is outside the folder of the job file", what), std::move(hint));
  return std::nullopt;
}

}  // namespace

void read_output(Reader& reader, Member member, FetchDraft& draft) {
  draft.late_name = draft.late_name || (member.value.is_scalar() && member.value.late());
  auto path = path_in_folder(reader, member.value, "file", "write a path below it, as in data/index.json");
  if (!path) return;
  if (path->empty() || path->filename().empty() || *path == ".")
    return reader.error(member.value, fmt::format("{} names no file", code(member.value.text())),
                        "write a path with a file name, as in data/index.json");
  draft.fetch.output = path->string();
}

void read_dir(Reader& reader, Member member, FetchDraft& draft) {
  draft.late_name = draft.late_name || (member.value.is_scalar() && member.value.late());
  auto path = path_in_folder(reader, member.value, "folder", "write a path below it, as in data, or `.`");
  if (!path) return;
  if (path->empty())
    return reader.error(member.value, "an empty text is no folder", "`.` is the folder of the job file");
  draft.dir = std::move(*path);
}

void read_content_disposition(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto yes = reader.boolean(member.value)) draft.content_disposition = *yes ? member.key : Value();
}

void settle_name(Reader& reader, Value fetch, FetchDraft& draft) {
  if (draft.late_name) return draft.fetch.output.reset();
  if (draft.content_disposition) {
    const Value key = draft.content_disposition;
    if (draft.fetch.output)
      reader.error(key, "there is an `output` already", "either the server names the file, or you do");
    else if (!draft.dir)
      reader.error(key, "a file that the server names needs a `dir`",
                   "`dir: .` is the folder of the job file");
    else if (draft.fetch.saving->checksums)
      reader.error(key, "a list of `checksums` goes by names, and this one is known too late",
                   "give the `checksum` itself, or an `output`");
    else if (draft.fetch.request->method != "GET")
      reader.error(key,
                   fmt::format("the server names what is fetched with GET, and this is a {}",
                               draft.fetch.request->method),
                   "name an `output`");
    else
      draft.fetch.saving.edit().named_in = draft.dir;
    return;
  }
  if (!draft.dir) return;
  if (draft.fetch.output) {
    draft.fetch.output = (*draft.dir / *draft.fetch.output).lexically_normal().string();
    return;
  }
  if (draft.fetch.url.empty()) return;  // Which has been told.
  const auto name = name_after(draft.fetch.url);
  if (!name) return reader.error(fetch, name.error(), "name the file: add `output`");
  draft.fetch.output = (*draft.dir / *name).lexically_normal().string();
}

}  // namespace gather::job
