// `--results DIR`, in run and in each.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>

using namespace gather::test;

TEST_CASE("run --results: a folder for each task that ran, whatever is shown of it", "[cli][results]") {
  const std::string mode = GENERATE("group", "stream", "quiet");
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  good:  { shell: 'echo out; echo err >&2; head -c 200000 /dev/zero' }\n"
              "  bad:   { shell: 'kill -9 $$' }\n"
              "  never: { needs: bad, run: [\"true\"] }\n");
  CHECK(gather.run({"--results", "a/b", "--output", mode}).status == 1);
  CHECK(gather.folder().read("a/b/good/stdout") == "out\n" + std::string(200'000, '\0'));
  CHECK(gather.folder().read("a/b/good/stderr") == "err\n");
  CHECK(gather.folder().read("a/b/good/exit") == "0\n");
  CHECK(gather.folder().read("a/b/good/seq") == "1\n");
  CHECK(gather.folder().read("a/b/bad/exit") == "137\n");
  CHECK(!gather.folder().has("a/b/never"));
}

TEST_CASE("each --results: folders as parallel names them, and safe", "[cli][results]") {
  Gather gather;
  CHECK(gather.run({"each", "--results", "r", "echo {2}-{1}", ":::", "a/b", "..", ":::", "x"}).status == 0);
  CHECK(gather.folder().read("r/1/a\\_b/2/x/stdout") == "x-a/b\n");
  CHECK(gather.folder().read("r/1/\\../2/x/stdout") == "x-..\n");
  CHECK(gather.folder().read("r/1/\\../2/x/seq") == "2\n");

  CHECK(
      gather.run({"each", "--results", "h", "--header", ":", "echo {city}", ":::", "city", "Rome"}).status ==
      0);
  CHECK(gather.folder().read("h/city/Rome/stdout") == "Rome\n");

  gather.input("1\n2\n");
  CHECK(gather.run({"each", "--results", "p", "--pipe", "-N1", "cat"}).status == 0);
  CHECK(gather.folder().read("p/2/stdout") == "2\n");
}

TEST_CASE("where no results can be written nothing is started", "[cli][results]") {
  Gather gather;
  gather.file("file", "");
  const Ending ending = gather.run({"each", "--results", "file", "touch", ":::", "ran"});
  CHECK(ending.status == 2);
  CHECK(ending.err == "gather: the result \"file\" can't be written: Not a directory\n");
  CHECK(!gather.folder().has("ran"));
}

TEST_CASE("results that can't be written any more stop the run, with status 1", "[cli][results]") {
  Gather gather;
  gather.file("r/1/a/stdout/in-the-way", "");
  const Ending ending = gather.run({"each", "--results", "r", "echo {}", ":::", "a"});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Catch::Contains("\"r/1/a/stdout\" can't be written: Is a directory"));
}
