/// What a download does with files on a thread of the pool, since it may take long. Only files of core/net
/// include this.
#pragma once

#include "core/net/digest.hpp"
#include "core/net/existing.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// Why a body is not as expected; nothing if it is.
using BodyExpectation = std::function<std::optional<std::string>(std::string_view)>;

/// Of the first `size` bytes; nothing if they can't be read.
std::optional<Digest> digest_of(OwnDescriptor file, std::uint64_t size, Algorithm algorithm);

/// Why the first `size` bytes of the file are not as expected.
std::optional<std::string> fault_in_file(OwnDescriptor file, std::uint64_t size,
                                         const BodyExpectation& fault_in);
/// The same of a body in memory.
std::optional<std::string> fault_in_text(const std::string& body, const BodyExpectation& fault_in);

/// Forces it onto the disk: errno, or 0.
int sync_to_disk(OwnDescriptor file);

/// What a file is to have besides its bytes.
struct Attributes {
  std::optional<mode_t> mode;
  std::optional<std::int64_t> changed;  ///< Seconds since 1970.
  std::optional<PartNote> version;
};

/// errno, or 0. Only a mode that can't be set is an error.
int give_attributes(int descriptor, const Attributes& attributes) noexcept;

/// A body that is there whole, for a name that was not.
struct NewFile {
  int folder;  ///< Open until this is done.
  std::string name;
  std::string body;
  Attributes attributes;
};

struct NewFileOutcome {
  /// What could not be done to the file; the rest is void then, but `error`.
  enum class Fault : std::uint8_t { none, write, mode };

  Fault fault = Fault::none;
  int error = 0;
  /// The body, where the file could not be made like this: there is one of that name by now, or the file
  /// system has no files without a name.
  std::optional<std::string> body_left;
};

/// The file gets its name when it is whole.
NewFileOutcome make_new_file(NewFile& file);

/// Closes it: the last descriptor of a large file that has no name any more.
void let_go(OwnDescriptor file);

}  // namespace gather::net
