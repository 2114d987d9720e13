#include "core/job/load.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace gather::job;

namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// Every file of tests/unit/job/bad that is a job, in the order of the names.
std::vector<std::filesystem::path> bad_jobs() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GATHER_BAD_JOBS))
    if (entry.path().extension() != ".expected") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

TEST_CASE("every bad job has exactly the problems that are written beside it", "[job][bad]") {
  const auto files = bad_jobs();
  REQUIRE(files.size() >= 60);
  for (const std::filesystem::path& file : files) {
    Source source = read_source(file);
    source.name = file.filename();
    const Loaded loaded = load(source);
    INFO(file.filename());
    CHECK_FALSE(loaded.usable());
    CHECK(render(source, loaded.problems) ==
          content(std::filesystem::path(file).replace_extension(".expected")));
  }
}

TEST_CASE("no expectation is left without its bad job", "[job][bad]") {
  const auto files = bad_jobs();
  for (const auto& entry : std::filesystem::directory_iterator(GATHER_BAD_JOBS)) {
    if (entry.path().extension() != ".expected") continue;
    const auto same_stem = [&](const auto& file) { return file.stem() == entry.path().stem(); };
    INFO(entry.path().filename());
    CHECK(std::ranges::count_if(files, same_stem) == 1);
  }
}

TEST_CASE("a file with twenty mistakes has twenty errors", "[job][bad]") {
  CHECK(load(read_source(std::filesystem::path(GATHER_BAD_JOBS) / "twenty.yaml")).problems.size() == 20);
}
