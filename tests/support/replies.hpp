/// Replies that are wrong, hostile or busy, for ScriptedServer. Right ones are response() and
/// chunked_response() there, and RangedFile.
#pragma once

#include "tests/support/scripted_server.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace gather::test {

/// The head of `bytes` and the first `body` bytes behind it, then `how`.
ScriptedServer::Reply cut(std::string_view bytes, std::size_t body, ScriptedServer::Then how);

/// Status 200 and a Content-Length that is `length`, whatever the body is.
std::string claiming(std::size_t length, std::string_view body);

/// Two Content-Length lines that disagree.
std::string with_two_lengths(std::size_t first, std::size_t second, std::string_view body);

/// No length at all: the body ends where the connection does.
ScriptedServer::Reply without_length(std::string_view body);

/// A chunk, then one whose size is no number.
std::string with_bad_chunk(std::string_view body);

/// A redirect to `location`; to the target itself it is a loop.
std::string redirect(std::string_view location, int status = 302);

/// 429 or 503 with Retry-After in seconds, or as a date.
std::string busy(int status, std::chrono::seconds retry_after);
std::string busy_until(int status, std::chrono::system_clock::time_point when);

}  // namespace gather::test
