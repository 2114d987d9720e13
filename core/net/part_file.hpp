/// PartFile: a file that gets its name only when it is complete.
#pragma once

#include "core/net/part_note.hpp"

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gather::net {

/// `DIR/NAME.part` while it is written, `DIR/NAME` once publish() says so. Whatever NAME was stays as it is
/// until then. One that is destroyed unpublished removes its part, unless it holds bytes that can be gone on
/// from: then it leaves `DIR/NAME.part.meta` beside it, a PartNote.
///
/// The part is locked as long as it is open, so a second writer, of this run or another, is refused and never
/// writes into it. Every failure is a sentence, without a final full stop, that names the file.
class PartFile {
 public:
  /// What is known of NAME.
  enum class Before : std::uint8_t {
    unknown,
    absent,  ///< It was not there a moment ago, so no look is taken.
  };

  /// Makes missing folders, then the part. What an earlier attempt left of it stays in it where its note can
  /// be read (see note()), and is cut off otherwise.
  ///
  /// Refused: a NAME that is there and no plain file (a link to one is replaced, never followed); a part that
  /// is a link, no plain file, or another user's; one that is in use.
  static std::expected<PartFile, std::string> create(const std::filesystem::path& final_path,
                                                     Before before = Before::unknown);

  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();

  /// Bytes in it, those that wait for flush() included. What is written goes behind them.
  std::uint64_t size() const noexcept { return size_ + gathered_.size(); }
  /// What its bytes are the beginning of; nothing if it is not worth keeping.
  const std::optional<PartNote>& note() const noexcept { return note_; }
  /// Good as long as this is. Reading it with a position of its own is allowed on any thread.
  int descriptor() const noexcept { return descriptor_; }

  /// Cuts it to nothing, and forgets the note.
  std::expected<void, std::string> start_over();
  /// From now on it is worth keeping. Its note is on the disk once the part is large, or at the end; another
  /// one that is there is removed.
  void keep(PartNote note);
  /// It is removed at the end, whatever it holds.
  void give_up() noexcept { note_.reset(); }

  /// Once it is large, pieces of `gathered_from` bytes and more are gathered in memory, up to
  /// `most_gathered`: they come as fast as they are taken, and few long writes cost half of many short ones.
  /// A shorter piece ends what was there to take, so it is written at once with all before it. After a
  /// failure it is given up.
  std::expected<void, std::string> write(std::string_view piece);
  /// Until then the descriptor may lack the end of what was written. The destructor does it, too.
  std::expected<void, std::string> flush();

  static constexpr std::size_t gathered_from = std::size_t{16} * 1024;
  static constexpr std::size_t most_gathered = std::size_t{128} * 1024;

  /// Checks that everything was written and gives it its name. Once.
  std::expected<void, std::string> publish();
  /// The same with another name. Without `replace` a file of that name stays, and this is refused.
  std::expected<void, std::string> publish_as(const std::filesystem::path& path, bool replace);

 private:
  /// Which file a name led to, whatever its name is now.
  struct Identity {
    dev_t device;
    ino_t inode;
    friend bool operator==(const Identity&, const Identity&) = default;
  };

  PartFile(std::string final_path, std::string part_path, int descriptor, Identity identity) noexcept;
  std::expected<void, std::string> take_name(const std::string& path, bool replace);
  std::expected<void, std::string> put(std::string_view bytes);
  void put_note_down();
  void forget() noexcept;  // Lets go of it, wherever it is.
  void remove_note() noexcept;
  static std::optional<Identity> identity_of(const std::string& path);
  bool in_place() const { return identity_of(part_path_) == identity_; }

  std::string final_path_;
  std::string part_path_;
  int descriptor_;  // Holds the lock; -1 once it is published or moved away.
  Identity identity_;
  std::uint64_t size_ = 0;  // Of the file.
  std::string gathered_;    // What comes behind that.
  std::optional<PartNote> note_;
  bool note_on_disk_ = false;
};

/// Where the part of `final_path` is: `.part` behind the name, or behind a shortened name and a hash of it
/// where that would be longer than file systems allow.
std::string part_of(std::string_view final_path);
/// Where its note is: the same with `.part.meta`.
std::filesystem::path note_path_of(const std::filesystem::path& final_path);

}  // namespace gather::net
