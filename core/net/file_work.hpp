/// What a download does with files on a thread of the pool, since it may take long. Only files of core/net
/// include this.
#pragma once

#include "core/net/digest.hpp"
#include "core/net/existing.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// Why a body is not as expected; nothing if it is.
using BodyExpectation = std::function<std::optional<std::string>(std::string_view)>;

/// Of the first `size` bytes; nothing if they can't be read.
std::optional<Digest> digest_of(OwnDescriptor file, std::uint64_t size, Algorithm algorithm);

/// Why the first `size` bytes of the file are not as expected.
std::optional<std::string> fault_in_file(OwnDescriptor file, std::uint64_t size, BodyExpectation fault_in);
/// The same of a body in memory.
std::optional<std::string> fault_in_text(const std::string& body, BodyExpectation fault_in);

/// Forces it onto the disk: errno, or 0.
int sync_to_disk(OwnDescriptor file);

/// Closes it: the last descriptor of a large file that has no name any more.
void let_go(OwnDescriptor file);

}  // namespace gather::net
