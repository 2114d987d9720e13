#include "core/job/check/fetch.hpp"

#include "core/job/check/fetch_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace gather::job {

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool is_only_body(Reader& reader, Member member, FetchDraft& draft) {
  draft.has_body = true;
  if (!draft.body) {
    draft.body = member.key;
    draft.fetch.request.edit().body.reset();
    draft.fetch.request.edit().files.clear();
    draft.body_type = {};
    return true;
  }
  reader.error(member.key,
               fmt::format("a request has one body, and this one has {} already", code(draft.body.text())),
               "remove one of them");
  return false;
}

namespace {

void read_method(Reader& reader, Member member, FetchDraft& draft) {
  const Reader::LateValues refused(reader, false);  // Whether a job may be run twice is asked before it runs.
  const auto method = reader.text(member.value);
  if (!method) return;
  const bool upper = std::ranges::none_of(*method, [](unsigned char c) { return std::islower(c) != 0; });
  if (!is_token(*method) || *method == "CONNECT")
    return reader.error(member.value, fmt::format("{} is no method for a fetch", code(*method)),
                        "as in GET, POST, PUT, DELETE");
  if (!upper) {
    std::string loud(*method);
    std::ranges::transform(loud, loud.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return reader.error(member.value, "methods are upper case", fmt::format("write {}", code(loud)));
  }
  draft.fetch.request.edit().method = *method;
  draft.has_method = true;
}

/// Sets a header, over one of the same name from an earlier mapping. False if this mapping has it already.
bool set_header(FetchDraft& draft, std::string_view name, std::string_view value) {
  const auto [at, is_new] =
      draft.headers.try_emplace(lower(name), draft.fetch.request->headers.size(), draft.mapping);
  FetchDraft::Place& place = at->second;
  if (is_new) {
    draft.fetch.request.edit().headers.emplace_back(name, value);
    return true;
  }
  if (place.mapping == draft.mapping) return false;
  place.mapping = draft.mapping;
  draft.fetch.request.edit().headers[place.index] = {std::string(name), std::string(value)};
  return true;
}

void read_headers(Reader& reader, Member member, FetchDraft& draft) {
  if (!reader.is_map(member.value, "as in `headers: {Accept: text/html}`")) return;
  for (const Member header : Members(member.value)) {
    const std::string_view name = header.key.text();
    if (!is_token(name)) {
      reader.error(header.key, fmt::format("{} is no name for a header", code(name)),
                   "letters, digits and `-`, without blanks or `:`");
      continue;
    }
    if (!reader.has_value(header, for_empty_text)) continue;
    const auto value = reader.text(header.value);
    if (!value) continue;
    const auto breaks_out = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
    if (std::ranges::any_of(*value, breaks_out)) {
      reader.error(header.value, "a header can't hold line breaks or control characters",
                   "one header, one line");
      continue;
    }
    if (!set_header(draft, name, *value))
      reader.error(header.key, fmt::format("{} is written twice", code(name)),
                   "names of headers ignore case; remove one of them");
  }
}

/// False, and found, if a scalar anywhere in it is none that may be sent. (At most `deepest` levels deep.)
bool can_be_sent(Reader& reader, Value value) {
  if (value.is_scalar()) return reader.scalar(value, "JSON").has_value();
  bool all = true;
  for (Value child = value.first(); child; child = child.next()) all = can_be_sent(reader, child) && all;
  return all;
}

void read_json(Reader& reader, Member member, FetchDraft& draft) {
  if (!is_only_body(reader, member, draft) || !can_be_sent(reader, member.value)) return;
  draft.fetch.request.edit().body = to_json(member.value);
  draft.body_type = "application/json";
}

void read_body(Reader& reader, Member member, FetchDraft& draft) {
  if (!is_only_body(reader, member, draft)) return;
  if (!member.value.is_scalar())
    return reader.error(member.value, "`body` is text", "`json:` takes lists and mappings");
  if (const auto text = reader.text(member.value)) draft.fetch.request.edit().body = std::string(*text);
}

void belongs_to_task(Reader& reader, Member member, FetchDraft&) {
  reader.error(member.key, fmt::format("{} is a key of the task", code(member.key.text())),
               "write it beside `fetch`, not inside");
}

void read_only_url(Reader& reader, Member member, FetchDraft& draft) {
  if (is_only_url(reader, member, draft)) read_url(reader, member.value, draft);
}

// What is read in fetch_request.cpp and fetch_file.cpp stands in a group each.
constexpr auto keys = std::to_array<Key<FetchDraft>>({
    {"url", read_only_url},
    {"urls", read_urls},
    {"method", read_method},
    {"headers", read_headers},
    {"body", read_body},
    {"json", read_json},
    {"expect", read_expect},

    // The request.
    {"query", read_query},
    {"form", read_form},
    {"files", read_files},
    {"auth", read_auth},
    {"connect_timeout", read_connect_timeout},
    {"stall_timeout", read_stall_timeout},
    {"limit_rate", read_limit_rate},
    {"redirects", read_redirects},
    {"trust_redirects", read_trust_redirects},
    {"http", read_http},
    {"proxy", read_proxy},
    {"netrc", read_netrc},
    {"cacert", read_cacert},
    {"cert", read_cert},
    {"insecure", read_insecure},
    {"public_only", read_public_only},
    {"unix_socket", read_unix_socket},
    {"resolve", read_resolve},

    // These belong to the task.
    {"timeout", belongs_to_task, false},
    {"retry", belongs_to_task, false},
    {"retries", belongs_to_task, false},
    {"env", belongs_to_task, false},
    {"needs", belongs_to_task, false},

    // The file.
    {"output", read_output},
    {"sha256", read_sha256},
    {"dir", read_dir},
    {"checksum", read_checksum},
    {"checksums", read_checksums},
    {"if_exists", read_if_exists},
    {"resume", read_resume},
    {"max_size", read_max_size},
    {"compressed", read_compressed},
    {"content_disposition", read_content_disposition},
    {"mtime", read_mtime},
    {"mode", read_mode},
    {"fsync", read_fsync},
    {"paginate", read_paginate},
});

void read_keys(Reader& reader, Value map, FetchDraft& draft) {
  draft.body = draft.url = Value();  // A task's own go over the default ones.
  ++draft.mapping;
  reader.keys(map, keys, draft);
}

}  // namespace

void check_fetch_defaults(Reader& reader, Value map) {
  FetchDraft draft;
  read_keys(reader, map, draft);
}

std::unique_ptr<const Fetch> read_fetch(Reader& reader, Value base, Value value) {
  const Reader::LateValues allowed(reader);
  FetchDraft draft;
  if (base) {
    Findings told_already;
    Reader silent(told_already);
    read_keys(silent, base, draft);
  }
  if (value.is_map()) {
    read_keys(reader, value, draft);
    if (!draft.has_url)
      reader.error(value, "this fetch has no `url`", "as in `fetch: {url: https://example.org/}`");
  } else if (value.is_scalar()) {
    read_url(reader, value, draft);
  } else {
    reader.expected(value, "a URL or a mapping",
                    "as in `fetch: https://example.org/`; several URLs are several tasks, or the `urls` "
                    "of one file");
  }
  if (draft.has_body && !draft.has_method) draft.fetch.request.edit().method = "POST";  // As curl has it.
  settle_name(reader, value, draft);
  if (!reader.met_late()) {
    check_fetch_file(reader, value, draft);
    check_fetch_pages(reader, draft);
  }
  append_query(draft.fetch.url, draft.query);
  for (std::string& url : draft.fetch.mirrors) append_query(url, draft.query);
  join_auth_and_headers(reader, draft);
  check_fetch_urls(reader, value, draft);
  if (!draft.body_type.empty() && !draft.headers.contains("content-type"))
    draft.fetch.request.edit().headers.emplace_back("Content-Type", draft.body_type);
  return std::make_unique<const Fetch>(std::move(draft.fetch));
}

}  // namespace gather::job
