#include "core/net/output_folders.hpp"

#include "core/net/existing.hpp"
#include "core/net/part_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <unordered_set>

namespace gather::net {
namespace {

constexpr std::size_t most_folders = 64;       // Each holds a descriptor.
constexpr std::size_t most_names = 1'000'000;  // Of one folder.

/// Names are known by their hash: two that share one are looked for on the disk, and that is all.
std::size_t hash(std::string_view name) { return std::hash<std::string_view>()(name); }

std::string_view folder_in(std::string_view path) {
  const std::size_t end = path.rfind('/');
  if (end == std::string_view::npos) return ".";
  return path.substr(0, end == 0 ? 1 : end);
}

std::string_view name_in(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

struct OutputFolders::Folder {
  OwnDescriptor descriptor;
  std::unordered_set<std::size_t> names;

  /// Nothing if it can't be read to its end, or is very large.
  static std::unique_ptr<Folder> read(OwnDescriptor opened) {
    auto folder = std::make_unique<Folder>(std::move(opened), std::unordered_set<std::size_t>());
    const int twin = fcntl(folder->descriptor.number(), F_DUPFD_CLOEXEC, 0);
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(twin < 0 ? nullptr : fdopendir(twin), &closedir);
    if (!listing) return nullptr;
    errno = 0;
    while (const dirent* const entry = readdir(listing.get())) {
      if (folder->names.size() == most_names) return nullptr;
      folder->names.insert(hash(entry->d_name));
    }
    return errno == 0 ? std::move(folder) : nullptr;
  }
};

OutputFolders::OutputFolders() = default;
OutputFolders::~OutputFolders() = default;

OutputFolders::Folder* OutputFolders::folder_of(std::string_view path) {
  if (const auto known = folders_.find(path); known != folders_.end()) return known->second.get();
  if (folders_.size() == most_folders) return nullptr;
  OwnDescriptor opened(open(std::string(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.valid()) return nullptr;  // Made with the first part, as a rule, so the next one may ask again.
  return folders_.emplace(path, Folder::read(std::move(opened))).first->second.get();
}

int OutputFolders::absent_from(std::string_view output) {
  const std::string_view name = name_in(output);
  if (name.empty()) return -1;
  const Folder* const folder = folder_of(folder_in(output));
  if (folder == nullptr || folder->names.contains(hash(name))) return -1;
  return folder->names.contains(hash(part_of(name))) ? -1 : folder->descriptor.number();
}

void OutputFolders::appeared(std::string_view output) {
  if (Folder* const folder = folder_of(folder_in(output))) folder->names.insert(hash(name_in(output)));
}

}  // namespace gather::net
