// The same command lines through `gather each` and GNU parallel: each_cases.txt. What differs on purpose is
// in the manual (`gather help each`) and in each_test.cpp.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace gather::test;

namespace {

std::vector<std::string> cases() {
  std::vector<std::string> lines;
  std::ifstream file(std::filesystem::path(SOURCE_FOLDER) / "tests/cli/each_cases.txt");
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  return lines;
}

Ending sh(const Folder& folder, const std::string& script) {
  return Program({{"sh", "-c", script}, folder.path(), {}, ""}).end();
}

}  // namespace

TEST_CASE("every command line of each_cases.txt prints what GNU parallel prints", "[cli][each][parallel]") {
  Folder folder;
  folder.write("lines", "a b\nc\n\nä \"q\"\nit's\n\\\n  blanks  \nlast without end");
  folder.write("columns", "x,1\ny,2\n");
  folder.write("table", "n m\n1 2\n3 4\n");
  folder.write("nul", std::string("p\0q r\0s\nt\0", 10));
  folder.write("ten", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
  folder.write("blanks", " \n\t\n\n");
  folder.write("commands", "echo one\necho 'two  words'\ntrue\n");
  folder.write("fasta", "garbage\n> one\nAC GT\n\n> zwei ä\n'x'\n> \"three\"\n");
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(i * i) + (i % 7 == 0 ? "\n\n" : " ä'\"\n");
  folder.write("long", text);
  const std::vector<std::string> lines = cases();
  REQUIRE(lines.size() > 50);
  for (const std::string& line : lines) {
    CAPTURE(line);
    const bool shell = line.starts_with("S ");
    const std::string rest = shell ? line.substr(2) : line;
    const bool script = line.starts_with("M ");
    const Ending ours =
        script ? sh(folder, "W=ours; S=--shell; EACH='" GATHER_PROGRAM " each'; " + line.substr(2))
               : sh(folder, GATHER_PROGRAM " each " + std::string(shell ? "--shell " : "") + rest);
    const Ending theirs = script ? sh(folder, "W=theirs; S=; EACH='parallel --will-cite'; " + line.substr(2))
                                 : sh(folder, "parallel --will-cite " + rest);
    CAPTURE(ours.err);
    CHECK(ours.out == theirs.out);
    CHECK((ours.status == 0) == (theirs.status == 0));
  }
}
