/// NamelessFile: a file that is written before it has any name. Only files of core/net include this.
#pragma once

#include "core/net/existing.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// In one folder; gone with this object, or a killed program, unless it was given a name. So it needs no
/// lock, and takes half of the calls that a part does. For a body that is there whole.
class NamelessFile {
 public:
  /// What became of the name.
  enum class Naming : std::uint8_t {
    done,
    taken,       ///< There is something of that name, and it stays.
    impossible,  ///< Not on this file system.
  };

  /// Nothing where the file system has no such files, or it can't be made: who then makes a part will be told
  /// why. Its permissions are 0666 less the umask.
  static std::optional<NamelessFile> make_in(int folder) noexcept;

  int descriptor() const noexcept { return file_.number(); }

  /// errno, or 0.
  int write(std::string_view text) const noexcept;
  /// Requires: everything that it is to hold has been written. `folder` is the one that it was made in.
  Naming name(int folder, const std::string& name) const noexcept;

 private:
  explicit NamelessFile(int descriptor) noexcept : file_(descriptor) {}
  OwnDescriptor file_;
};

}  // namespace gather::net
