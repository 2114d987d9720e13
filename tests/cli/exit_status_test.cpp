// One test for each exit status of the contract; signals and the deadline are in stopping_test.cpp.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace gather::test;

TEST_CASE("0: all is good", "[cli][exit]") {
  Gather gather;
  CHECK(gather.file("gather.yaml", "tasks: { a: { run: [\"true\"] } }\n").run({}).status == 0);
}

TEST_CASE("1: a task failed", "[cli][exit]") {
  Gather gather;
  CHECK(gather.file("gather.yaml", "tasks: { a: { run: [\"false\"] } }\n").run({}).status == 1);
}

TEST_CASE("1: a program that can't be started is a failed task, with its reason", "[cli][exit]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [no-such-program-here] }, b: { run: [echo, b] } }\n");
  const Ending ending = gather.run({});
  CHECK(ending.status == 1);
  CHECK(ending.out == "b\n");
  CHECK_THAT(ending.err, Catch::Contains("no-such-program-here"));
}

TEST_CASE("1: a report that was asked for can't be written", "[cli][exit]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [\"true\"] } }\n");
  const Ending ending = gather.run({"--report", "json=/no/such/folder/report.json"});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err,
             Catch::Contains("the report \"/no/such/folder/report.json\" can't be written: No such file"));
}

TEST_CASE("1: the disk behind stdout or a report is full", "[cli][exit]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [echo, hello] } }\n");
  CHECK(gather.run({"--report", "json=/dev/full"}).status == 1);
  Program program(
      {{"sh", "-c", std::string(GATHER_PROGRAM) + " > /dev/full"}, gather.folder().path(), {}, ""});
  const Ending ending = program.end();
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Catch::Contains("No space left on device"));
}

TEST_CASE("2: usage", "[cli][exit]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [touch, started] } }\n");
  const std::vector<std::string> arguments =
      GENERATE(std::vector<std::string>{"--no-such-flag"}, std::vector<std::string>{"-j", "0"},
               std::vector<std::string>{"no-such-task"}, std::vector<std::string>{"no-such-file.yaml"},
               std::vector<std::string>{"."}, std::vector<std::string>{"--timeout", "soon"},
               std::vector<std::string>{"--report", "xml=x"}, std::vector<std::string>{"--color", "pink"});
  const Ending ending = gather.run(arguments);
  CHECK(ending.status == 2);
  CHECK(ending.out == "");
  CHECK_THAT(ending.err, Catch::StartsWith("gather: "));
  CHECK_FALSE(gather.folder().has("started"));
}

TEST_CASE("3: a checksum did not match", "[cli][exit][net]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  wrong:\n    retry: 0\n    fetch: { url: 'http://127.0.0.1:PORT/bytes/100', output: "
              "got.bin, sha256: " +
                  std::string(64, '0') + " }\n");
  Program run(
      {{"sh", "-c",
        std::string(WEB_SERVER_PROGRAM) +
            " --port 0 -- sh -c 'sed -i s/PORT/$WEB_SERVER_PORT/ gather.yaml; exec " + GATHER_PROGRAM + "'"},
       gather.folder().path(),
       {},
       ""});
  const Ending ending = run.end();
  CHECK(ending.status == 3);
  CHECK_THAT(ending.err, Catch::Contains("checksum"));
  CHECK_FALSE(gather.folder().has("got.bin"));
}

TEST_CASE("141: the reader of stdout went away", "[cli][exit]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  a: { shell: 'while [ ! -e gone ]; do sleep 0.02; done; echo late' }\n"
              "  b: { needs: a, run: [touch, started] }\n");
  Program program({{"sh", "-c", "{ " + std::string(GATHER_PROGRAM) + "; echo status $? >&2; } | touch gone"},
                   gather.folder().path(),
                   {},
                   ""});
  CHECK_THAT(program.end().err, Catch::EndsWith("status 141\n"));
  CHECK_FALSE(gather.folder().has("started"));
}
