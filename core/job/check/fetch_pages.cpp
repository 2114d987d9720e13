/// `paginate`: how a fetch goes on from page to page.
#include "core/job/check/fetch.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace gather::job {
namespace {

constexpr int most_pages = 1'000'000;

struct PaginateDraft {
  Paginate paginate;
  bool has_next = false;
};

std::optional<std::string> read_pointer(Reader& reader, Value value) {
  const auto pointer = reader.text(value);
  if (!pointer) return std::nullopt;
  if (is_json_pointer(*pointer)) return std::string(*pointer);
  reader.error(value, fmt::format("{} is no JSON pointer", code(*pointer)),
               "a `/` before each name, as in /meta/next; `~0` and `~1` for `~` and `/` in names");
  return std::nullopt;
}

void read_next(Reader& reader, Member member, PaginateDraft& draft) {
  draft.has_next = true;
  const auto text = reader.scalar(member.value, "`link` or a JSON pointer");
  if (!text || *text == "link") return;
  if (text->starts_with('/')) {
    if (auto pointer = read_pointer(reader, member.value)) draft.paginate.next = std::move(*pointer);
    return;
  }
  reader.error(member.value, fmt::format("{} does not say where the next page is named", code(*text)),
               "`link` for the header Link with rel=next, or a JSON pointer into the page, as in /meta/next");
}

constexpr auto paginate_keys = std::to_array<Key<PaginateDraft>>({
    {"next", read_next},
    {"items",
     [](Reader& r, Member m, PaginateDraft& to) {
       if (auto pointer = read_pointer(r, m.value)) to.paginate.items = std::move(*pointer);
     }},
    {"max",
     [](Reader& r, Member m, PaginateDraft& to) {
       if (const auto most = r.whole(m.value, 1, most_pages))
         to.paginate.max = static_cast<std::size_t>(*most);
     }},
});

}  // namespace

void read_paginate(Reader& reader, Member member, FetchDraft& draft) {
  if (!reader.is_map(member.value, "as in `paginate: {next: link, items: /items}`")) return;
  PaginateDraft made;
  const std::size_t before = reader.findings().errors();
  reader.keys(member.value, paginate_keys, made);
  if (!made.has_next && reader.findings().errors() == before)
    reader.error(member.key, "`paginate` needs a `next`",
                 "`link`, or a JSON pointer to the next URL in a page");
  draft.fetch.paginate = std::make_shared<const Paginate>(std::move(made.paginate));
  draft.paginate = member.key;
}

void check_fetch_pages(Reader& reader, FetchDraft& draft) {
  if (!draft.fetch.paginate || !draft.paginate) return;
  if (draft.fetch.request->method != "GET")
    reader.error(draft.paginate,
                 fmt::format("pages are asked for with GET, and this is a {}", draft.fetch.request->method));
  if (draft.content_disposition)
    reader.error(draft.paginate, "no page names the file that all of them make", "name an `output`");
}

}  // namespace gather::job
