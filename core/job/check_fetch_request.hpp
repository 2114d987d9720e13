/// The keys of a fetch that say what is asked and how. Only core/job's check_*.cpp include this.
#pragma once

#include "core/job/check_fetch.hpp"

namespace gather::job {

void read_query(Reader& reader, Member member, FetchDraft& draft);
void read_form(Reader& reader, Member member, FetchDraft& draft);
void read_files(Reader& reader, Member member, FetchDraft& draft);
void read_auth(Reader& reader, Member member, FetchDraft& draft);
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
void read_unix_socket(Reader& reader, Member member, FetchDraft& draft);
void read_resolve(Reader& reader, Member member, FetchDraft& draft);

/// `url` with the fields percent-encoded behind its own query, before its fragment.
void append_query(std::string& url, const std::vector<NameValue>& query);

/// `auth` and a header Authorization exclude each other; between the defaults and a task the later one holds.
void join_auth_and_headers(Reader& reader, FetchDraft& draft);

}  // namespace gather::job
