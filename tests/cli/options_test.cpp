#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace gather::test;

namespace {

// Each task notes its start, so that the order and the selection show in one file.
const std::string noting =
    "tasks:\n"
    "  a: { shell: 'echo a >> log' }\n"
    "  b: { needs: a, shell: 'echo b >> log' }\n"
    "  c: { shell: 'echo c >> log', estimate: 1ms }\n";

}  // namespace

TEST_CASE("gather.yaml is found before gather.yml and gather.json", "[cli][options]") {
  Gather gather;
  gather.file("gather.yml", "tasks: { t: { run: [echo, yml] } }\n");
  gather.file("gather.json", R"({"tasks": {"t": {"run": ["echo", "json"]}}})");
  CHECK(gather.run({}).out == "yml\n");
  gather.file("gather.yaml", "tasks: { t: { run: [echo, yaml] } }\n");
  CHECK(gather.run({}).out == "yaml\n");
}

TEST_CASE("a job can come from standard input, as YAML or JSON", "[cli][options]") {
  Gather gather;
  CHECK(gather.input("tasks: { t: { run: [echo, yaml] } }\n").run({"-"}).out == "yaml\n");
  CHECK(gather.input(R"({"tasks": {"t": {"run": ["echo", "json"]}}})").run({"run", "-"}).out == "json\n");
}

TEST_CASE("words after the file are tasks: those run, and what they need", "[cli][options]") {
  Gather gather;
  gather.file("job.yaml", noting);
  CHECK(gather.run({"job.yaml", "b"}).status == 0);
  CHECK(gather.folder().read("log") == "a\nb\n");
}

TEST_CASE("words without a file are tasks of the default file", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml", noting);
  CHECK(gather.run({"c"}).status == 0);
  CHECK(gather.folder().read("log") == "c\n");
}

TEST_CASE("a task named like a command is reached with -f or run", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { plan: { run: [echo, ran] } }\n");
  CHECK(gather.run({"run", "plan"}).out == "ran\n");
  CHECK(gather.run({"-f", "gather.yaml", "run", "plan"}).out == "ran\n");
}

TEST_CASE("an unknown task is a usage error that suggests a near one", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { build: { run: [\"true\"] } }\n");
  const Ending ending = gather.run({"biuld"});
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Catch::Contains("build"));
}

TEST_CASE("-C changes the folder before anything else", "[cli][options]") {
  Gather gather;
  gather.file("inner/gather.yaml", "tasks: { t: { run: [pwd] } }\n");
  CHECK_THAT(gather.run({"-C", "inner"}).out, Catch::EndsWith("/inner\n"));
}

TEST_CASE("relative paths start at the job file, wherever gather was called", "[cli][options]") {
  Gather gather;
  gather.file("inner/job.yaml",
              "tasks: { t: { run: [touch, here] }, u: { cwd: .., run: [touch, there] } }\n");
  CHECK(gather.run({"inner/job.yaml"}).status == 0);
  CHECK(gather.folder().has("inner/here"));
  CHECK(gather.folder().has("there"));
}

TEST_CASE("every flag of run has a twin in the environment, and the flag wins", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { t: { run: [\"true\"] } }\n").variable("GATHER_JOBS", "3");
  CHECK_THAT(gather.run({"plan", "-v"}).out, Catch::Contains("jobs 3 (GATHER_JOBS)"));
  CHECK_THAT(gather.run({"plan", "-v", "-j", "5"}).out, Catch::Contains("jobs 5 (--jobs)"));
}

TEST_CASE("a bad value in the environment is named by its variable", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { t: { run: [\"true\"] } }\n").variable("GATHER_TIMEOUT", "never");
  const Ending ending = gather.run({});
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Catch::StartsWith("gather: GATHER_TIMEOUT: "));
}

TEST_CASE("children see their own variables and none of gather's settings", "[cli][options]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "env: { SHARED: job, OWN: job }\n"
      "tasks: { t: { env: { OWN: task }, shell: 'env | grep -E \"^(GATHER_|SHARED|OWN)\" | sort' } }\n");
  const std::string out = gather.variable("GATHER_JOBS", "2").variable("GATHER_COLOR", "never").run({}).out;
  CHECK_THAT(out, Catch::Matches("GATHER_ATTEMPT=1\nGATHER_RUN_ID=[-0-9a-f]+\nGATHER_SLOT=1\nGATHER_TASK=t\n"
                                 "OWN=task\nSHARED=job\n"));
}

TEST_CASE("--sync runs one task at a time", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  a: { shell: 'mkdir lock && sleep 0.05 && rmdir lock' }\n"
              "  b: { shell: 'mkdir lock && sleep 0.05 && rmdir lock' }\n"
              "  c: { shell: 'mkdir lock && sleep 0.05 && rmdir lock' }\n");
  CHECK(gather.run({"--sync"}).status == 0);
}

TEST_CASE("--dry-run starts nothing", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml", noting);
  const Ending ending = gather.run({"-n"});
  CHECK(ending.status == 0);
  CHECK(ending.out == gather.run({"plan"}).out);
  CHECK_FALSE(gather.folder().has("log"));
}

TEST_CASE("--retries and --timeout hold for every task", "[cli][options]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  a: { shell: 'echo x >> tries; [ $(wc -l < tries) -ge 3 ]', retry: { attempts: 1, "
              "delay: 1ms } }\n");
  const Ending ending = gather.run({"--retries", "2", "--report", "json=report.json"});
  CHECK(ending.status == 0);
  CHECK(nlohmann::json::parse(gather.folder().read("report.json"))["tasks"][0]["state"] == "flaky");
  gather.file("gather.yaml", "tasks: { a: { run: [sleep, '600'] } }\n");
  CHECK_THAT(gather.run({"--timeout", "50ms"}).err, Catch::Contains("timed out after 50 ms"));
}

TEST_CASE("--shuffle draws the same order from the same seed", "[cli][options]") {
  std::string text = "tasks:\n";
  for (int i = 0; i < 12; ++i)
    text += "  t" + std::to_string(i) + ": { run: [echo, '" + std::to_string(i) + "'] }\n";
  Gather gather;
  gather.file("gather.yaml", text);
  const std::string first = gather.run({"-j1", "--shuffle=7"}).out;
  CHECK(gather.run({"-j1", "--shuffle=7"}).out == first);
  CHECK(gather.run({"-j1", "--shuffle=8"}).out != first);
}

TEST_CASE("--version and --help", "[cli][options]") {
  const Gather gather;
  CHECK_THAT(gather.run({"--version"}).out, Catch::Matches("gather [0-9.]+\n"));
  CHECK_THAT(gather.run({"--help"}).out, Catch::Contains("Usage: gather [run] [FILE] [TASK...]"));
  CHECK_THAT(gather.run({"compare", "--help"}).out, Catch::Contains("--runs"));
  CHECK(gather.run({"help"}).status == 0);
}

TEST_CASE("--shuffle takes a seed after = only, so that a file may follow", "[cli][options]") {
  Gather gather;
  gather.file("job.yaml", "tasks: { t: { run: [echo, ran] } }\n");
  CHECK(gather.run({"--shuffle", "job.yaml"}).out == "ran\n");
}
