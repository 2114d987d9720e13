#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace gather::test;

namespace {

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

TEST_CASE("every broken file gives its exact messages and status 2, and nothing starts", "[cli][check]") {
  const std::filesystem::path folder = std::filesystem::path(SOURCE_FOLDER) / "tests/unit/job/bad";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::filesystem::path& file = entry.path();
    if (file.extension() != ".yaml" && file.extension() != ".json") continue;
    ++files;
    const std::string expected = contents(std::filesystem::path(file.string() + ".expected"));
    const std::string plain = contents(std::filesystem::path(file).replace_extension(".expected"));
    Gather gather;
    gather.file(file.filename().string(), contents(file));
    for (const std::string command : {"check", "run"}) {
      CAPTURE(file, command);
      const Ending ending = gather.run({command, file.filename().string()});
      CHECK(ending.status == 2);
      CHECK(ending.out == "");
      CHECK(ending.err == (expected.empty() ? plain : expected));
    }
    CAPTURE(file);
    CHECK(std::distance(std::filesystem::directory_iterator(gather.folder().path()), {}) == 1);
  }
  CHECK(files >= 60);
}

TEST_CASE("check tells how many tasks a good file has", "[cli][check]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { sleep: 1 }, b: { sleep: 2 } }\n");
  const Ending ending = gather.run({"check"});
  CHECK(ending.status == 0);
  CHECK(ending.err == "gather.yaml: ok, 2 tasks\n");
}

TEST_CASE("check --print json prints the document whenever the syntax is right", "[cli][check]") {
  Gather gather;
  gather.file("bad.yaml", "tasks: { a: { slep: 1 } }\n");
  const Ending ending = gather.run({"check", "--print", "json", "bad.yaml"});
  CHECK(ending.status == 2);
  CHECK(ending.out == "{\n  \"tasks\": {\n    \"a\": {\n      \"slep\": 1\n    }\n  }\n}\n");
  CHECK_THAT(ending.err, Catch::Contains("did you mean `sleep`?"));
}

TEST_CASE("several files are checked in one go", "[cli][check]") {
  Gather gather;
  gather.file("a.yaml", "tasks: { a: { sleep: 1 } }\n").file("b.yaml", "tasks: {}\n");
  const Ending ending = gather.run({"check", "a.yaml", "b.yaml"});
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Catch::StartsWith("a.yaml: ok, 1 task\nb.yaml:1:8: error:"));
}
