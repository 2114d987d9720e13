/// For the tests of core/net: one download on a loop of its own, its result as a line of text, and a folder.
#pragma once

#include "core/net/download.hpp"
#include "core/net/sockets.hpp"
#include "tests/support/scripted_server.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace gather::test {

/// Downloads, within ten seconds, and tells in a line how it ended: "200, 5 bytes", "status 404: no such
/// page", "truncated: HOST closed the connection before it answered". The host and port of every URL is HOST.
std::string fetch(const net::Download& wanted, net::Session::Options options = {});
std::string describe(const net::DownloadResult& result);

/// A folder that goes with everything in it when the test ends.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  void write(std::string_view name, std::string_view content) const;
  std::string read(std::string_view name) const;
  /// Everything below, sorted, with blanks between: "a.txt sub sub/b.txt".
  std::string list() const;

 private:
  std::filesystem::path path_;
};

/// A limit of this process (RLIMIT_…), lowered until it goes out of scope.
class Lowered {
 public:
  Lowered(int resource, std::size_t limit);
  Lowered(const Lowered&) = delete;
  Lowered& operator=(const Lowered&) = delete;
  ~Lowered();

 private:
  int resource_;
  std::size_t before_;
};

using net::lowest_free_descriptor;

/// Waits until no more than `count` descriptors are open, ten seconds at most: a server's thread closes its
/// end a little later than we do ours.
bool settled(std::size_t count);

}  // namespace gather::test
