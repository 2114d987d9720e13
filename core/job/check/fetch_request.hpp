/// The keys of a fetch that say what is asked and how. Only core/job/check includes this.
#pragma once

#include "core/job/check/fetch.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

void read_query(Reader& reader, Member member, FetchDraft& draft);
void read_form(Reader& reader, Member member, FetchDraft& draft);
void read_files(Reader& reader, Member member, FetchDraft& draft);
void read_auth(Reader& reader, Member member, FetchDraft& draft);

// fetch_transport.cpp: how it is sent.
void read_connect_timeout(Reader& reader, Member member, FetchDraft& draft);
void read_stall_timeout(Reader& reader, Member member, FetchDraft& draft);
void read_limit_rate(Reader& reader, Member member, FetchDraft& draft);
void read_redirects(Reader& reader, Member member, FetchDraft& draft);
void read_trust_redirects(Reader& reader, Member member, FetchDraft& draft);
void read_http(Reader& reader, Member member, FetchDraft& draft);
void read_proxy(Reader& reader, Member member, FetchDraft& draft);
void read_netrc(Reader& reader, Member member, FetchDraft& draft);
void read_cacert(Reader& reader, Member member, FetchDraft& draft);
void read_cert(Reader& reader, Member member, FetchDraft& draft);
void read_insecure(Reader& reader, Member member, FetchDraft& draft);
void read_public_only(Reader& reader, Member member, FetchDraft& draft);
void read_unix_socket(Reader& reader, Member member, FetchDraft& draft);
void read_resolve(Reader& reader, Member member, FetchDraft& draft);

/// Whether `text` can't be a path or an option of libcurl's: both end at a NUL.
bool holds_control(std::string_view text);
/// A path; nothing, and found, if it is none.
std::optional<std::filesystem::path> read_path(Reader& reader, Value value);

/// `url` with the fields percent-encoded behind its own query, before its fragment.
void append_query(std::string& url, const std::vector<NameValue>& query);

/// `auth` and a header Authorization exclude each other; between the defaults and a task the later one holds.
void join_auth_and_headers(Reader& reader, FetchDraft& draft);

}  // namespace gather::job
