// What must hold for a list of URLs of any bytes at all: problems are single inert lines, what is read can be
// written and read back, and every file that a job gets stays below its folder.
#include "core/job/url_list.hpp"

#include "core/job/fetch_job.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

namespace {

void require(bool holds) {
  if (!holds) std::abort();  // An assert would vanish with NDEBUG.
}

bool is_one_inert_line(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gather::job;
  UrlList list;
  read_url_list("list", {reinterpret_cast<const char*>(data), size}, list);
  for (const std::string& problem : list.problems) require(is_one_inert_line(problem));
  for (const UrlEntry& entry : list.entries) {
    if (entry.output && entry.output->find_first_of("\t\r\n") != std::string::npos) continue;
    if (entry.output && entry.output->empty()) continue;  // Says the same as none.
    UrlList again;
    read_url_list("again", list_line(entry), again);
    require(again.problems.empty() && again.entries.size() == 1);
    require(again.entries[0].url == entry.url && again.entries[0].output == entry.output &&
            again.entries[0].sha256 == entry.sha256);
  }
  const FetchJob made = fetch_job(list.entries, {}, Bodies::files);
  for (const std::string& problem : made.problems) require(is_one_inert_line(problem));
  if (!made.problems.empty()) return 0;
  require(made.job.tasks.size() == list.entries.size());
  std::set<std::filesystem::path> files;
  for (const Task& task : made.job.tasks) {
    const auto& output = std::get<std::unique_ptr<const Fetch>>(task.action)->output;
    require(output.has_value());
    const std::filesystem::path path = *output;
    require(path.is_relative() && *path.begin() != ".." && path == path.lexically_normal());
    require(files.insert(path).second);
  }
  return 0;
}
