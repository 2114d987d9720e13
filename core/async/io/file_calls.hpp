/// The system calls of files.cpp and fs.cpp, as functions that throw; they block. Not for users.
#pragma once

#include "core/async/io/descriptor.hpp"
#include "core/async/io/fs.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gather::async::detail {

/// Throws filesystem_error: "filesystem error: open: No such file or directory [x]".
[[noreturn]] void fail(const char* doing, const std::filesystem::path& path, int error);

/// Closed on exec; refuses directories.
Descriptor open_now(const std::filesystem::path& path, int flags);

/// A new file for reading and writing in `directory`, without a name or with one that is gone already.
Descriptor open_nameless(const std::filesystem::path& directory);

void close_now(Descriptor& descriptor, const std::filesystem::path& path);

/// Adds what one read gives, `most` bytes or fewer, from `offset` or the kernel's own position; gives how
/// many they were, 0 at the end. Requires: most > 0.
std::size_t append_from(int descriptor, const std::filesystem::path& path, std::string& bytes,
                        std::size_t most, std::optional<std::uint64_t> offset);

/// At `*offset`, which moves along as bytes go, or the kernel's own position if it is null.
void write_all(int descriptor, const std::filesystem::path& path, std::string_view bytes,
               std::uint64_t* offset);

fs::Status status_of(const struct stat& answer);

}  // namespace gather::async::detail
