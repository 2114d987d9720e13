/// OutputFolders: what was in the folders of outputs when a run first came to them, so that a name that was
/// not there costs no look.
#pragma once

#include "core/async/thread/pool.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace gather::net {

/// For runs in which nobody but their downloads makes files, as far as we know: each folder is read once, and
/// what others put there later is not seen. So who trusts this must not replace what turns out to be there.
class OutputFolders {
 public:
  OutputFolders();
  ~OutputFolders();
  OutputFolders(const OutputFolders&) = delete;
  OutputFolders& operator=(const OutputFolders&) = delete;

  /// The descriptor of the folder of `output`, if neither that name nor its part was in it when it was read;
  /// -1 if one was, or if it can't be told. Good as long as this object is.
  int absent_from(std::string_view output);
  /// It, or its part, may be there from now on.
  void appeared(std::string_view output);

  /// The thread that makes files, one after the other: they share the lock of their folder anyway.
  async::Pool& maker() noexcept { return maker_; }

 private:
  struct Folder;
  Folder* folder_of(std::string_view path);

  std::map<std::string, std::unique_ptr<Folder>, std::less<>> folders_;  // Null: can't be told, ever.
  async::Pool maker_{1};  // Ends before the descriptors that its jobs use.
};

}  // namespace gather::net
