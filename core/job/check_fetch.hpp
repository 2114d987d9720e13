/// What reading a `fetch` needs in more than one file. Only core/job's check_*.cpp include this.
#pragma once

#include "core/job/check.hpp"
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
  bool has_method = false;
  Value body;  ///< The key `body`, `json`, `form` or `files`, whichever came first in the mapping at hand.
  std::string_view body_type;    ///< Content-Type unless there is one; may be empty.
  std::vector<NameValue> query;  ///< To be added to the URL.
  Value auth;                    ///< The key.
  int auth_mapping = 0;          ///< That it was written in.
  int mapping = 0;               ///< Counts the mappings read: the defaults, then the task's own.

  struct Place {
    std::size_t index = 0;  ///< In fetch.headers.
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

// check_fetch_file.cpp: keys about what is written.
void read_sha256(Reader& reader, Member member, FetchDraft& draft);
void read_checksum(Reader& reader, Member member, FetchDraft& draft);
void read_checksums(Reader& reader, Member member, FetchDraft& draft);
void read_resume(Reader& reader, Member member, FetchDraft& draft);
void read_if_exists(Reader& reader, Member member, FetchDraft& draft);
void read_max_size(Reader& reader, Member member, FetchDraft& draft);
void read_mtime(Reader& reader, Member member, FetchDraft& draft);
void read_mode(Reader& reader, Member member, FetchDraft& draft);
void read_fsync(Reader& reader, Member member, FetchDraft& draft);
/// What only the whole fetch can tell. `fetch` is its value in the task.
void check_fetch_file(Reader& reader, Value fetch, FetchDraft& draft);

}  // namespace gather::job
