// `stdin:` of a task: text, a file, JSON, another task's output.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::test;

TEST_CASE("a task reads the text, the file or the JSON that its stdin names, to the last byte",
          "[cli][stdin]") {
  Gather gather;
  gather.file("sub/gather.yaml",
              "tasks:\n"
              "  text: { run: [cat], stdin: \"one\\ntwo\" }\n"
              "  file: { needs: text, cwd: /, run: [cat], stdin: { file: data/in } }\n"
              "  json: { needs: file, run: [cat], stdin: { json: { a: [1, x] } } }\n"
              "  none: { needs: json, shell: 'cat; echo end' }\n");
  gather.file("sub/data/in", "\n from a file\n");
  const Ending ending = gather.run({"-q", "sub/gather.yaml"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "one\ntwo\n from a file\n{\"a\":[1,\"x\"]}end\n");
}

TEST_CASE("a task reads what another has written, in every mode, and starts after it", "[cli][stdin]") {
  const std::string mode = GENERATE("group", "stream", "quiet");
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks:\n"
      "  count:  { run: [wc, -c], stdin: { task: much } }\n"
      "  sum:    { shell: 'md5sum > sum', stdin: { task: much } }\n"
      "  much:   { shell: 'head -c 3000000 /dev/zero > copy; echo >> copy; cat copy; echo why >&2' }\n"
      "  silent: { shell: 'cat; echo nothing > silent', stdin: { task: sum } }\n");
  const Ending ending = gather.run({"--progress", "none", "--output", mode});
  CHECK(ending.status == 0);
  if (mode != "quiet") CHECK((ending.out == std::string(3'000'000, '\0') + "\n3000001\n"));
  Program sum({{"md5sum", "copy"}, gather.folder().path(), {}, ""});
  CHECK(sum.end().out.substr(0, 32) == gather.folder().read("sum").substr(0, 32));
  CHECK(gather.folder().read("silent") == "nothing\n");
}

TEST_CASE("a further attempt reads it all again; of a repeated task the last output counts", "[cli][stdin]") {
  Gather gather;
  gather.file("gather.yaml",
              "defaults: { retry: { attempts: 3, delay: 1ms } }\n"
              "tasks:\n"
              "  from: { shell: 'echo attempt $GATHER_ATTEMPT; [ $GATHER_ATTEMPT = 2 ]' }\n"
              "  to:   { shell: 'cat; [ $GATHER_ATTEMPT = 2 ]', stdin: { task: from } }\n"
              "  text: { needs: to, shell: 'cat; [ $GATHER_ATTEMPT = 3 ]', stdin: \"text\\n\" }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "attempt 2\nattempt 2\ntext\n");
}

TEST_CASE("a file that can't be read fails its task, and says which", "[cli][stdin]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  gone:   { run: [cat], stdin: { file: nowhere } }\n"
              "  folder: { run: [cat], stdin: { file: . } }\n"
              "  good:   { run: [echo, good] }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 1);
  CHECK(ending.out == "good\n");
  CHECK_THAT(ending.err,
             Catch::Contains("gone: ") && Catch::Contains("/nowhere\" can't be read: No such file"));
  CHECK_THAT(ending.err, Catch::Contains("folder: ") && Catch::Contains("can't be read: Is a directory"));
}
