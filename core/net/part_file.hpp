/// PartFile: a file that gets its name only when it is complete.
#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// `DIR/NAME.part` while it is written, `DIR/NAME` once publish() says so. Whatever NAME was stays as it is
/// until then. One that is destroyed unpublished removes its part.
///
/// The part is locked as long as it is open, so a second writer, of this run or another, is refused and never
/// writes into it. Every failure is a sentence, without a final full stop, that names the file.
class PartFile {
 public:
  /// Makes missing folders, then the part. What a killed run left of it is cut to nothing and used.
  ///
  /// Refused: a NAME that is there and no plain file (a link to one is replaced, never followed); a part that
  /// is a link, no plain file, or another user's; one that is in use.
  static std::expected<PartFile, std::string> create(const std::filesystem::path& final_path);

  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();

  std::expected<void, std::string> write(std::string_view piece);

  /// Checks that everything was written and gives it its name. Once.
  std::expected<void, std::string> publish();

 private:
  /// Which file a name led to, whatever its name is now.
  struct Identity {
    dev_t device;
    ino_t inode;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

  PartFile(std::filesystem::path final_path, std::filesystem::path part_path, int descriptor,
           Identity identity) noexcept;
  static std::optional<Identity> identity_of(const std::filesystem::path& path);
  bool in_place() const { return identity_of(part_path_) == identity_; }

  std::filesystem::path final_path_;
  std::filesystem::path part_path_;
  int descriptor_;  // Holds the lock; -1 once it is published or moved away.
  Identity identity_;
};

/// Where the part of `final_path` is: `.part` behind the name, or behind a shortened name and a hash of it
/// where that would be longer than file systems allow.
std::filesystem::path part_of(const std::filesystem::path& final_path);

}  // namespace gather::net
