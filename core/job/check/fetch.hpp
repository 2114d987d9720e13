/// What reading a `fetch` needs in more than one file. Only core/job/check includes this.
#pragma once

#include "core/job/check/check.hpp"
#include "core/job/fetch.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gather::job {

/// A fetch while its mappings are read: the defaults, then the task's own over them.
struct FetchDraft {
  Fetch fetch;
  bool has_url = false;
  Value url;  ///< The key `url` or `urls`, whichever came first in the mapping at hand.
  bool has_method = false;
  bool has_body = false;   ///< That, or files.
  bool late_name = false;  ///< `output` or `dir` is known only later.
  Value body;  ///< The key `body`, `json`, `form` or `files`, whichever came first in the mapping at hand.
  std::optional<std::filesystem::path> dir;
  Value paginate;                ///< The key.
  Value content_disposition;     ///< The key, if it is on.
  std::string_view body_type;    ///< Content-Type unless there is one; may be empty.
  std::vector<NameValue> query;  ///< To be added to the URL.
  Value auth;                    ///< The key.
  int auth_mapping = 0;          ///< That it was written in.
  int mapping = 0;               ///< Counts the mappings read: the defaults, then the task's own.

  struct Place {
    std::size_t index = 0;  ///< In fetch.request->headers.
    int mapping = 0;        ///< That it was written in.
  };
  std::unordered_map<std::string, Place> headers;  ///< By name in lower case.
};

/// False, and found, if the mapping at hand has a body already; else that of an earlier one is forgotten.
bool is_only_body(Reader& reader, Member member, FetchDraft& draft);

/// A number of bytes: 1000, 500k, 10M, 1G, or by 1024 with Ki and Mi. Nothing, and found, if it is none.
std::optional<std::uint64_t> read_bytes(Reader& reader, Value value);

/// ASCII letters in lower case.
std::string lower(std::string_view text);

// expect.cpp
void read_expect(Reader& reader, Member member, FetchDraft& draft);

// fetch_url.cpp
/// False, and found, if the mapping at hand has `url` or `urls` already; else those of an earlier one are
/// forgotten.
bool is_only_url(Reader& reader, Member member, FetchDraft& draft);
void read_url(Reader& reader, Value value, FetchDraft& draft);
void read_urls(Reader& reader, Member member, FetchDraft& draft);
/// What only the whole fetch can tell of its URLs. `fetch` is its value in the task.
void check_fetch_urls(Reader& reader, Value fetch, FetchDraft& draft);

// fetch_pages.cpp
void read_paginate(Reader& reader, Member member, FetchDraft& draft);
/// What only the whole fetch can tell of its pages.
void check_fetch_pages(Reader& reader, FetchDraft& draft);

// fetch_file.cpp: keys about what is written.
void read_output(Reader& reader, Member member, FetchDraft& draft);
void read_dir(Reader& reader, Member member, FetchDraft& draft);
void read_content_disposition(Reader& reader, Member member, FetchDraft& draft);
void read_sha256(Reader& reader, Member member, FetchDraft& draft);
void read_checksum(Reader& reader, Member member, FetchDraft& draft);
void read_checksums(Reader& reader, Member member, FetchDraft& draft);
void read_compressed(Reader& reader, Member member, FetchDraft& draft);
void read_resume(Reader& reader, Member member, FetchDraft& draft);
void read_if_exists(Reader& reader, Member member, FetchDraft& draft);
void read_max_size(Reader& reader, Member member, FetchDraft& draft);
void read_mtime(Reader& reader, Member member, FetchDraft& draft);
void read_mode(Reader& reader, Member member, FetchDraft& draft);
void read_fsync(Reader& reader, Member member, FetchDraft& draft);
/// Puts `dir` and what the file is called together. `fetch` is its value in the task.
void settle_name(Reader& reader, Value fetch, FetchDraft& draft);
/// What only the whole fetch can tell. `fetch` is its value in the task.
void check_fetch_file(Reader& reader, Value fetch, FetchDraft& draft);

}  // namespace gather::job
