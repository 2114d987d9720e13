/// The file that is there already: whether it is the right one, and which version it was when it was fetched.
/// Only files of core/net include this.
#pragma once

#include "core/net/part_note.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace gather::net {

/// A descriptor, closed wherever it ends up: a call on another thread may outlive who made it.
class OwnDescriptor {
 public:
  explicit OwnDescriptor(int number) noexcept : number_(number) {}
  OwnDescriptor(OwnDescriptor&& other) noexcept;
  OwnDescriptor& operator=(OwnDescriptor&&) = delete;
  ~OwnDescriptor();

  /// Another one for the same file.
  static OwnDescriptor twin_of(int descriptor) noexcept;

  bool valid() const noexcept { return number_ >= 0; }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

struct Existing {
  OwnDescriptor file;
  std::uint64_t size = 0;
  std::optional<PartNote> version;  ///< As stick_version() left it, if the file is as it was then.
};

/// The plain file of that name; nothing if there is none, or a link, which is never taken for the file.
std::optional<Existing> existing_file(const std::filesystem::path& path);

/// Whether the two files hold the same bytes; false if one can't be read. Reads from their beginnings,
/// whatever their positions. Blocks: for a thread of the pool.
bool same_content(OwnDescriptor a, OwnDescriptor b);

/// Notes in an extended attribute of the file (user.gather.version) which version it is, by the note's
/// validator, and what tells if the file was changed by hand since: its size and time. Does nothing where the
/// file system has no such attributes: then the file is fetched again next time.
///
/// It takes 56 bytes at most where the validator has 39, as nearly all have: so much has room in an inode of
/// ext4, and one byte more costs each file a block of 4 KB.
void stick_version(int descriptor, const PartNote& version) noexcept;

}  // namespace gather::net
