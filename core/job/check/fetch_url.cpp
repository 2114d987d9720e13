/// The keys of a fetch that say where it comes from.
#include "core/job/check/fetch.hpp"
#include "core/job/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace gather::job {
namespace {

std::optional<std::string> one_url(Reader& reader, Value value) {
  const auto url = reader.scalar(value, "a URL");
  if (!url) return std::nullopt;
  const auto fault = fault_in_url(*url);
  if (!fault) return std::string(*url);
  if (fault->secret)
    reader.secret_error(value, fault->message, fault->hint);
  else
    reader.error(value, fault->message, fault->hint);
  return std::nullopt;
}

}  // namespace

bool is_only_url(Reader& reader, Member member, FetchDraft& draft) {
  draft.has_url = true;
  if (!draft.url) {
    draft.url = member.key;
    draft.fetch.url.clear();
    draft.fetch.mirrors.clear();
    return true;
  }
  reader.error(member.key, fmt::format("there is {} already", code(draft.url.text())),
               "one URL, or the list of all that have the same file in `urls`");
  return false;
}

void read_url(Reader& reader, Value value, FetchDraft& draft) {
  draft.has_url = true;
  draft.fetch.mirrors.clear();
  if (auto url = one_url(reader, value)) draft.fetch.url = std::move(*url);
}

void read_urls(Reader& reader, Member member, FetchDraft& draft) {
  if (!is_only_url(reader, member, draft)) return;
  if (!member.value.is_list())
    return reader.expected(member.value, "a list of URLs",
                           "as in `urls: [https://a.example/f, https://b.example/f]`");
  if (!reader.known(member.value)) return;  // Which are asked, and where, is one question.
  std::vector<std::string> urls;
  for (const Value item : Items(member.value)) {
    auto url = one_url(reader, item);
    if (!url) continue;
    if (std::ranges::find(urls, *url) != urls.end())
      reader.error(item, "this URL is written twice", "each mirror is asked once; remove one of them");
    urls.push_back(std::move(*url));
  }
  if (!member.value.first()) return reader.error(member.key, "`urls` is empty", "name a URL");
  if (urls.empty()) return;
  draft.fetch.url = std::move(urls.front());
  draft.fetch.mirrors.assign(std::make_move_iterator(urls.begin() + 1), std::make_move_iterator(urls.end()));
}

void check_fetch_urls(Reader& reader, Value fetch, FetchDraft& draft) {
  if (draft.fetch.mirrors.empty()) return;
  if (draft.fetch.request->method != "GET" && draft.fetch.request->method != "HEAD")
    reader.error(fetch,
                 fmt::format("`urls` are mirrors to GET from, and this is a {}", draft.fetch.request->method),
                 "several servers that are to get the same are several tasks");
}

}  // namespace gather::job
