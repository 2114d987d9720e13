/// When libcurl and libcrypto are loaded.
#pragma once

#include <cstdint>
#include <string_view>

namespace gather::net {

/// What a request needs. libcrypto comes with libcurl, but takes its time to get ready only for TLS and for
/// digests: plain http does without.
enum class Libraries : std::uint8_t { none, curl, curl_and_crypto };

/// For a request to this URL, which begins with a scheme in small letters.
Libraries needed_for(std::string_view url) noexcept;

/// Whether these are there and have been used. Any thread may ask.
bool loaded(Libraries needed) noexcept;

/// Takes 5 to 30 ms, so it is for a thread of the pool. Throws gather::Error, which names the package, if one
/// is missing or too old.
void load_libraries(Libraries needed);

}  // namespace gather::net
