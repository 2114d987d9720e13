// `tty: true`: one task at a time has gather's terminal, and what it leaves changed is put back.
#include "tests/cli/program.hpp"
#include "tests/cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::test;

namespace {

const std::string run_gather = std::string(GATHER_PROGRAM) + " --progress none ";

}  // namespace

TEST_CASE("a task with the terminal asks and is answered, in gather's group and session", "[cli][tty]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  ask: { tty: true, shell: 'printf \"name? \"; read name; echo \"hello $name\"; "
              "cut -d\" \" -f5,6,8 /proc/$$/stat > ids; tty > name' }\n");
  Terminal terminal(run_gather + "2> said; echo status=$?", gather.folder().path());
  terminal.wait_for("name? ");
  terminal.type("world\n");
  terminal.wait_for("hello world");
  terminal.wait_for("status=0");
  // Its group is that in the foreground, and is not its own.
  std::istringstream ids(gather.folder().read("ids"));
  int group = 0;
  int session = 0;
  int foreground = 0;
  ids >> group >> session >> foreground;
  CHECK(group > 0);
  CHECK(group == foreground);
  CHECK(session != group);
  CHECK(gather.folder().read("name").starts_with("/dev/"));
}

TEST_CASE("A21: modes that a task changes and the foreground that it takes are put back", "[cli][tty]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks:\n"
      "  wild: { tty: true, run: [sh, -c, \"stty -echo -icanon; sh -mc 'sleep 0.05'; stty > inside\"] }\n"
      "  then: { needs: wild, tty: true, run: [sh, -c, \"stty > after\"] }\n");
  Terminal terminal(
      "stty > before; " + run_gather + "2> said; echo status=$?; stty > end; read line; echo got=$line",
      gather.folder().path());
  terminal.wait_for("status=0");
  CHECK_THAT(gather.folder().read("inside"), Catch::Contains("-echo"));
  CHECK(gather.folder().read("after") == gather.folder().read("before"));
  REQUIRE(eventually([&] { return gather.folder().has("end"); }));
  terminal.type("typed\n");
  terminal.wait_for("got=typed");
  CHECK(gather.folder().read("end") == gather.folder().read("before"));
}

TEST_CASE("one task at a time has the terminal; what others write comes after it", "[cli][tty]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  one:   { tty: true, shell: 'echo one begins; until [ -e other.done ]; do sleep 0.01; done; "
              "sleep 0.1; "
              "echo one ends' }\n"
              "  two:   { tty: true, shell: 'echo two begins; echo two ends' }\n"
              "  other: { shell: 'echo from another; touch other.done' }\n");
  Terminal terminal(run_gather + "; echo status=$?", gather.folder().path());
  terminal.wait_for("status=0");
  const std::string& screen = terminal.screen();
  const auto at = [&](const char* text) { return screen.find(text); };
  const bool one_first = at("one begins") < at("two begins");
  CHECK((one_first ? at("one ends") < at("two begins") : at("two ends") < at("one begins")));
  const bool inside_one = at("from another") > at("one begins") && at("from another") < at("one ends");
  CHECK(!inside_one);
}

TEST_CASE("what a task with the terminal leaves behind is ended, and told", "[cli][tty]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n  a: {{ tty: true, shell: \"setsid sh -c 'sleep 1000; : {0}' & touch on\" }}\n"
                  "  b: {{ needs: a, run: [\"true\"] }}\n",
                  word));
  Terminal terminal(std::string(GATHER_PROGRAM) + "; echo status=$?", gather.folder().path());
  terminal.wait_for("status=0");
  CHECK(processes_with(word).empty());
  CHECK_THAT(terminal.screen(), Catch::Contains("a left processes behind, which were ended"));
}

TEST_CASE("a task that has the terminal is stopped by its time limit and by Ctrl-C", "[cli][tty]") {
  Gather gather;
  const bool by_key = GENERATE(false, true);
  gather.file(
      "gather.yaml",
      fmt::format("tasks: {{ a: {{ tty: true, {} run: [sh, -c, \"touch on; exec sleep 1000\"] }} }}\n",
                  by_key ? "" : "timeout: 200ms,"));
  // The shell of the test gets the Ctrl-C as well, and would end with its job.
  Terminal terminal("trap : INT; " + std::string(GATHER_PROGRAM) + "; echo status=$?",
                    gather.folder().path());
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));
  if (by_key) terminal.type("\x03");
  terminal.wait_for(by_key ? "status=130" : "status=1");
  CHECK_THAT(terminal.screen(), Catch::Contains(by_key ? "a: interrupted" : "a: timed out after 200 ms"));
}

TEST_CASE("without a terminal, and in its background, a task that wants it fails and says why",
          "[cli][tty]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { tty: true, run: [touch, ran] } }\n");
  CHECK_THAT(gather.run({}).err,
             Catch::Contains("it wants a terminal (`tty: true`), and gather has none here"));
  Terminal terminal(run_gather + "2> said & wait $!; echo status=$?", gather.folder().path());
  terminal.wait_for("status=1");
  CHECK_THAT(gather.folder().read("said"), Catch::Contains("gather is not in its foreground"));
  CHECK(!gather.folder().has("ran"));
}

TEST_CASE("each --tty lends the terminal to each command in turn", "[cli][tty]") {
  Gather gather;
  Terminal terminal(
      std::string(GATHER_PROGRAM) +
          " each --tty --shell 'printf \"{}? \"; read x; echo {}=$x >> said' ::: a b; echo status=$?",
      gather.folder().path());
  terminal.wait_for("? ");
  terminal.type("1\n");
  terminal.type("2\n");
  terminal.wait_for("status=0");
  const std::string said = gather.folder().read("said");
  CHECK((said == "a=1\nb=2\n" || said == "b=1\na=2\n"));
}

TEST_CASE("A20: a failed task that asked for a terminal or a password gets a hint", "[cli][tty]") {
  const std::string complaint = GENERATE(
      as<std::string>(), "sudo: a terminal is required to read the password", "the input device is not a TTY",
      "fatal: could not read Username for x: No such device or address");
  Gather gather;
  CHECK_THAT(gather.run({"each", "--shell", "echo {} >&2; false", ":::", complaint}).err,
             Catch::Contains("    hint: it asks for a terminal or a password; `tty: true`"));
  CHECK_THAT(gather.run({"each", "--shell", "echo {} >&2; false", ":::", "no such file"}).err,
             !Catch::Contains("hint"));
}

TEST_CASE("B33: in the background of a terminal that stops writers gather goes on, and is not mixed up",
          "[cli][tty]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [echo, hello] } }\n");
  Terminal terminal("stty tostop; " + run_gather + "& wait $!; echo status=$?", gather.folder().path());
  terminal.wait_for("status=0");
  CHECK_THAT(terminal.screen(), Catch::Contains("hello\r\n"));
}
