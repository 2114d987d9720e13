#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace gather::test;

TEST_CASE("a pipe holds the tasks' output alone; what gather says goes to stderr", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { shell: 'echo out; echo err >&2' } }\n");
  const Ending ending = gather.run({});
  CHECK(ending.out == "out\n");
  CHECK_THAT(ending.err, Catch::Contains("err\n") && Catch::Contains("wall"));
  CHECK(ending.err.find('\x1b') == std::string::npos);
  CHECK(ending.err.find('\r') == std::string::npos);
}

TEST_CASE("output is grouped by task, not mixed", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  a: { shell: 'for i in 1 2 3 4 5; do echo a; sleep 0.01; done' }\n"
              "  b: { shell: 'for i in 1 2 3 4 5; do echo b; sleep 0.01; done' }\n");
  const std::string out = gather.run({}).out;
  CHECK((out == "a\na\na\na\na\nb\nb\nb\nb\nb\n" || out == "b\nb\nb\nb\nb\na\na\na\na\na\n"));
}

TEST_CASE("output of any size comes through whole", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { shell: 'head -c 5000000 /dev/zero | tr \"\\\\0\" x' } }\n");
  CHECK(gather.run({}).out == std::string(5'000'000, 'x'));
}

TEST_CASE("the output of a failed attempt is shown only if the task fails in the end", "[cli][streams]") {
  const std::string tries = "echo try >> log; echo attempt $(wc -l < log); [ $(wc -l < log) -ge 2 ]";
  Gather passes;
  passes.file("gather.yaml",
              "tasks: { a: { retry: { attempts: 2, delay: 1ms }, shell: '" + tries + "' } }\n");
  CHECK(passes.run({}).out == "attempt 2\n");
  Gather fails;
  fails.file("gather.yaml",
             "tasks: { a: { retry: { attempts: 2, delay: 1ms }, shell: 'echo $GATHER_ATTEMPT; exit 1' } }\n");
  CHECK(fails.run({}).out == "1\n2\n");
}

TEST_CASE("with --report json=- the report is alone on stdout", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [echo, hello] } }\n");
  const Ending ending = gather.run({"--report", "json=-"});
  const auto report = nlohmann::json::parse(ending.out);
  CHECK(report["tasks"][0]["id"] == "a");
  CHECK_THAT(ending.err, Catch::Contains("hello\n"));
}

TEST_CASE("-q prints nothing of gather's own when all is good", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [echo, hello] } }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.out == "hello\n");
  CHECK(ending.err == "");
}

TEST_CASE("a closed stdin, stdout or stderr does no harm", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [touch, ran] } }\n");
  const std::string closing = GENERATE("<&-", "2>&-", "<&- 2>&-");
  Program program(
      {{"sh", "-c", "exec " + std::string(GATHER_PROGRAM) + " " + closing}, gather.folder().path(), {}, ""});
  CHECK(program.end().status == 0);
  CHECK(gather.folder().has("ran"));
}

TEST_CASE("output for a stdout that is closed is a failure, not a silence", "[cli][streams]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [echo, hello] } }\n");
  Program program(
      {{"sh", "-c", "exec " + std::string(GATHER_PROGRAM) + " >&-"}, gather.folder().path(), {}, ""});
  CHECK(program.end().status == 1);
}
