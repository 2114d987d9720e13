#include "core/async/io/fs.hpp"

#include "core/async/io/file_calls.hpp"
#include "core/async/thread/blocking.hpp"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

// std::filesystem does most of it; where its answer is not the kernel's, the call is made here.
namespace gather::async::fs {

namespace stdfs = std::filesystem;
using detail::fail;

Co<Status> stat(stdfs::path path) {
  co_return co_await blocking([&] {
    struct stat answer{};
    if (::stat(path.c_str(), &answer) != 0) fail("stat", path, errno);
    return detail::status_of(answer);
  });
}

Co<Status> lstat(stdfs::path path) {
  co_return co_await blocking([&] {
    struct stat answer{};
    if (::lstat(path.c_str(), &answer) != 0) fail("lstat", path, errno);
    return detail::status_of(answer);
  });
}

Co<bool> exists(stdfs::path path) {
  co_return co_await blocking([&] {
    struct stat answer{};
    return ::stat(path.c_str(), &answer) == 0;
  });
}

Co<> rename(stdfs::path from, stdfs::path to) {
  co_await blocking([&] { stdfs::rename(from, to); });
}

Co<> remove(stdfs::path path) {
  co_await blocking([&] {
    if (::unlink(path.c_str()) != 0) fail("remove", path, errno);
  });
}

Co<std::uint64_t> remove_all(stdfs::path path) {
  co_return co_await blocking([&] { return static_cast<std::uint64_t>(stdfs::remove_all(path)); });
}

Co<> mkdir(stdfs::path path, stdfs::perms mode) {
  co_await blocking([&] {
    if (::mkdir(path.c_str(), static_cast<mode_t>(mode)) != 0) fail("mkdir", path, errno);
  });
}

Co<> makedirs(stdfs::path path) {
  co_await blocking([&] { stdfs::create_directories(path); });
}

Co<> rmdir(stdfs::path path) {
  co_await blocking([&] {
    if (::rmdir(path.c_str()) != 0) fail("rmdir", path, errno);
  });
}

Co<std::vector<DirEntry>> scandir(stdfs::path path) {
  co_return co_await blocking([&] {
    std::vector<DirEntry> entries;
    for (const stdfs::directory_entry& entry : stdfs::directory_iterator(path)) {
      std::error_code ignored;  // It may have gone since.
      entries.push_back({entry.path().filename(), entry.symlink_status(ignored).type()});
    }
    return entries;
  });
}

Co<std::vector<std::string>> listdir(stdfs::path path) {
  co_return co_await blocking([&] {
    std::vector<std::string> names;
    for (const stdfs::directory_entry& entry : stdfs::directory_iterator(path))
      names.push_back(entry.path().filename());
    return names;
  });
}

Co<> symlink(stdfs::path target, stdfs::path link) {
  co_await blocking([&] { stdfs::create_symlink(target, link); });
}

Co<stdfs::path> readlink(stdfs::path path) {
  co_return co_await blocking([&] { return stdfs::read_symlink(path); });
}

Co<> chmod(stdfs::path path, stdfs::perms mode) {
  co_await blocking([&] { stdfs::permissions(path, mode); });
}

Co<> copy_file(stdfs::path from, stdfs::path to) {
  co_await blocking([&] { stdfs::copy_file(from, to, stdfs::copy_options::overwrite_existing); });
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) stdfs::remove_all(path_, ignored);
}

Co<> TemporaryDirectory::remove() {
  if (path_.empty()) co_return;
  co_await blocking([&] { stdfs::remove_all(path_); });
  path_.clear();
}

Co<TemporaryDirectory> temporary_directory(std::string prefix, stdfs::path parent) {
  co_return co_await blocking([&] {
    std::string name = parent / (prefix + "XXXXXX");
    if (::mkdtemp(name.data()) == nullptr) fail("temporary directory", parent, errno);
    return TemporaryDirectory(name);
  });
}

}  // namespace gather::async::fs
