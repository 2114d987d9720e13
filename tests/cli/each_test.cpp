// `gather each` as a program: its statuses, its log, and what it does otherwise than GNU parallel.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <csignal>
#include <string>

using namespace gather::test;

TEST_CASE("each: the status is 0 if all passed, 1 if one failed, 2 if nothing could be started",
          "[cli][each]") {
  CHECK(Gather().run({"each", "true", ":::", "a", "b"}).status == 0);
  CHECK(Gather().run({"each", "test", "{}", "=", "a", ":::", "a", "b"}).status == 1);
  CHECK(Gather().run({"each", "true", "::::", "no-such-file"}).status == 2);
  CHECK(Gather().run({"each", "--no-such-flag", "true", ":::", "a"}).status == 2);
}

TEST_CASE("each: a failure is told on standard error with its command, and the output goes to stdout",
          "[cli][each]") {
  const Ending ending = Gather().run({"each", "sh", "-c", "echo out; exit 3", "{}", ":::", "a b"});
  CHECK(ending.out == "out\n");
  CHECK_THAT(ending.err, Catch::Contains("1 sh -c 'echo out; exit 3' 'a b': exit status 3"));
}

TEST_CASE("each: success says nothing but what the commands say", "[cli][each]") {
  const Ending ending = Gather().run({"each", "-k", "echo", ":::", "a", "b"});
  CHECK(ending.out == "a\nb\n");
  CHECK(ending.err.empty());
}

TEST_CASE("each: an argument is never read by a shell", "[cli][each]") {
  Gather gather;
  const Ending ending =
      gather.run({"each", "-k", "echo {}", ":::", "$(touch bad)", "; touch bad", "`touch bad`"});
  CHECK(ending.out == "$(touch bad)\n; touch bad\n`touch bad`\n");
  CHECK_FALSE(gather.folder().has("bad"));
  CHECK(gather.run({"each", "-k", "--shell", "echo {} > out.{#}", ":::", "$(touch bad)"}).status == 0);
  CHECK(gather.folder().read("out.1") == "$(touch bad)\n");
  CHECK_FALSE(gather.folder().has("bad"));
}

TEST_CASE("each: a text that only a shell understands starts nothing", "[cli][each]") {
  Gather gather;
  const Ending ending = gather.run({"each", "touch {} && rm {}", ":::", "a"});
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Catch::Contains("add --shell"));
  CHECK_FALSE(gather.folder().has("a"));
}

TEST_CASE("each: flags end at the first word that is none", "[cli][each]") {
  CHECK(Gather().run({"each", "-k", "-j", "2", "echo", "-k", "{}", ":::", "a"}).out == "-k a\n");
  CHECK(Gather().run({"each", "-kj", "2", "echo", ":::", "a"}).out == "a\n");
  CHECK(Gather().run({"each", "--", "echo", ":::", "a"}).out == "a\n");
}

TEST_CASE("each: --dry-run prints commands that a shell would read back, and starts nothing", "[cli][each]") {
  Gather gather;
  const Ending ending = gather.run({"each", "--dry-run", "touch", "{}", ":::", "a", "b c", "d'e"});
  CHECK(ending.out == "touch a\ntouch 'b c'\ntouch 'd'\\''e'\n");
  CHECK(ending.status == 0);
  CHECK_FALSE(gather.folder().has("a"));
}

TEST_CASE("each: -j is never exceeded, and -j 0 is no limit", "[cli][each]") {
  Gather gather;
  // A command is counted while its file is there.
  const std::string count = "touch on.{}; ls on.* | wc -l; sleep 0.05; rm on.{}";
  const Ending limited =
      gather.run({"each", "--shell", "-j", "2", count, ":::", "1", "2", "3", "4", "5", "6"});
  for (const char c : limited.out) CHECK((c == '1' || c == '2' || c == '\n'));
  Gather all;
  const Ending together =
      all.run({"each", "--shell", "-j", "0",
               "touch {}; until test -e 1 -a -e 2 -a -e 3 -a -e 4 -a -e 5; do sleep 0.01; done", ":::", "1",
               "2", "3", "4", "5"});
  CHECK(together.status == 0);
}

TEST_CASE("each: {%} is the slot, and no two commands at once have the same", "[cli][each]") {
  Gather gather;
  const Ending ending =
      gather.run({"each", "--shell", "-j", "3",
                  "mkdir slot.{%} && test {%} = $GATHER_SLOT && sleep 0.02 && rmdir slot.{%}", ":::", "1",
                  "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(ending.status == 0);
}

TEST_CASE("each: the job log resumes by the command's text, whatever its number", "[cli][each]") {
  Gather gather;
  const std::vector<std::string> tail = {"--shell", "echo {}; test {} != bad", ":::"};
  const auto run = [&](std::vector<std::string> flags, std::vector<std::string> arguments) {
    std::vector<std::string> all = {"each", "-j1", "--joblog", "log"};  // Ends are logged as they come.
    all.insert(all.end(), flags.begin(), flags.end());
    all.insert(all.end(), tail.begin(), tail.end());
    all.insert(all.end(), arguments.begin(), arguments.end());
    return gather.run(all);
  };
  CHECK(run({}, {"a", "bad"}).out == "a\nbad\n");
  CHECK_THAT(gather.folder().read("log"),
             Catch::StartsWith("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval"
                               "\tSignal\tCommand\n1\t:\t"));
  CHECK(run({"--resume"}, {"new", "a", "bad"}).out == "new\n");
  const Ending again = run({"--resume-failed"}, {"new", "a", "bad", "a"});
  CHECK(again.out == "bad\na\n");
  CHECK(again.status == 1);
  CHECK(run({"--resume"}, {"new", "a", "bad", "a"}).out.empty());
}

TEST_CASE("each: a log that can't be written is an error, before the start and during the run",
          "[cli][each]") {
  CHECK(Gather().run({"each", "--joblog", "no/folder/log", "true", ":::", "a"}).status == 2);
  const Ending full = Gather().run({"each", "--joblog", "/dev/full", "true", ":::", "a"});
  CHECK(full.status != 0);
  CHECK_THAT(full.err, Catch::Contains("job log"));
}

TEST_CASE("each: a reader that goes away ends the run with 141", "[cli][each]") {
  Gather gather;
  const Ending ending =
      Program({{"sh", "-c",
                "{ " GATHER_PROGRAM " each -j1 'echo {}' ::: $(seq 100000); echo $? > status; } | head -n1"},
               gather.folder().path(),
               {},
               ""})
          .end();
  CHECK(ending.out == "1\n");
  CHECK(gather.folder().read("status") == "141\n");
}

TEST_CASE("each: Ctrl-C ends the commands and is the program's own end", "[cli][each]") {
  const std::string word = unique_word();
  Gather gather;
  Program program = gather.start(
      {"each", "--joblog", "log", "--shell", "touch on.{#}; exec sleep 600 # " + word, ":::", "a", "b"});
  REQUIRE(eventually([&] { return gather.folder().has("on.1") && gather.folder().has("on.2"); }));
  program.signal(SIGINT);
  CHECK(program.end().status == 130);
  CHECK(processes_with(word) == std::vector<std::string>{});
  CHECK_THAT(gather.folder().read("log"), Catch::EndsWith("Command\n"));  // To be done again.
}

TEST_CASE("each: a limit of time fails a command, and its tries are counted in all", "[cli][each]") {
  CHECK_THAT(Gather().run({"each", "--timeout", "50ms", "sleep", ":::", "600"}).err,
             Catch::Contains("timed out"));
  Gather gather;
  CHECK(gather
            .run({"each", "--shell", "--retries", "3", "echo >> tries; test $(wc -l < tries) = 3 # {}",
                  ":::", "a"})
            .status == 0);
  CHECK(gather.folder().read("tries") == "\n\n\n");
}

TEST_CASE("each: the time for all of it ends the run with 124", "[cli][each]") {
  const Ending ending = Gather().run({"each", "--deadline", "100ms", "sleep", ":::", "600", "600"});
  CHECK(ending.status == 124);
  CHECK_THAT(ending.err, Catch::Contains("the run's deadline passed"));
}

TEST_CASE("each: a report of the run goes where --report says", "[cli][each]") {
  Gather gather;
  CHECK(gather.run({"each", "--report", "json=report.json", "echo", ":::", "a", "b"}).status == 0);
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  REQUIRE(report["tasks"].size() == 2);
  CHECK(report["tasks"][1]["id"] == "2 echo b");
  CHECK(report["tasks"][1]["state"] == "passed");
}

TEST_CASE("each: two sources can't both be standard input", "[cli][each]") {
  const Ending ending = Gather().input("a\n").run({"each", "echo", "::::", "-", "-"});
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Catch::Contains("standard input can be read once"));
}

TEST_CASE("each: a thousand commands leave a thousand results in order", "[cli][each]") {
  std::string numbers;
  for (int i = 1; i <= 1000; ++i) numbers += std::to_string(i) + "\n";
  const Ending ending = Gather().input(numbers).run({"each", "-k", "-j", "16", "echo"});
  CHECK(ending.out == numbers);
  CHECK(ending.status == 0);
}

TEST_CASE("each: a piece goes to a command as soon as it is whole, while more may come",
          "[cli][each][pipe]") {
  Gather gather;
  Program program({{"sh", "-c",
                    "{ echo one; until test -e go; do sleep 0.01; done; echo two; } | " GATHER_PROGRAM
                    " each --pipe -N1 cat"},
                   gather.folder().path(),
                   {},
                   ""});
  program.wait_for_out("one");
  gather.folder().write("go", "");
  CHECK(program.end().out == "one\ntwo\n");
}

TEST_CASE("each: no more is read than commands take", "[cli][each][pipe]") {
  Gather gather;
  // It writes the number of each block that went into the pipe, until nobody reads any more.
  const Ending ending =
      Program({{"sh", "-c",
                "i=0; while i=$((i+1)) && echo $i > written && printf %65536s '' 2> /dev/null; "
                "do :; done | " GATHER_PROGRAM " each -j2 --pipe --block 65536 --recend '' --halt now,fail=1 "
                "'sh -c \"exit 1\"'; cat written"},
               gather.folder().path(),
               {},
               ""})
          .end();
  REQUIRE_FALSE(ending.out.empty());
  CHECK(std::stoi(ending.out) < 100);  // Of an endless input.
}

TEST_CASE("each: Ctrl-C ends commands with input in pieces, though more would come", "[cli][each][pipe]") {
  const std::string word = unique_word();
  Gather gather;
  Program program({{"sh", "-c",
                    "mkfifo in; sleep 600 > in 2> /dev/null & writer=$!; " GATHER_PROGRAM
                    " each --pipe -N1 --shell 'touch on; exec sleep 600 # " +
                        word +
                        "' < in & gather=$!; echo $gather > pid; echo line > in; wait $gather; "
                        "echo $? > status; kill $writer"},
                   gather.folder().path(),
                   {},
                   ""});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));
  kill(std::stoi(gather.folder().read("pid")), SIGTERM);
  program.end();
  CHECK(gather.folder().read("status") == "143\n");
  CHECK(processes_with(word) == std::vector<std::string>{});
}

TEST_CASE("each: a command that is tried again gets its piece again", "[cli][each][pipe]") {
  Gather gather;
  const Ending ending = gather.input("a\nb\n").run({"each", "-k", "-j1", "--pipe", "-N1", "--retries", "2",
                                                    "--shell", "cat; mkdir done.{#} && exit 1; exit 0"});
  CHECK(ending.out == "a\nb\n");
  CHECK(ending.status == 0);
}

TEST_CASE("each: a million lines come through in pieces, each of them once", "[cli][each][pipe]") {
  Gather gather;
  const Ending ending =
      Program({{"sh", "-c",
                "seq 1000000 | " GATHER_PROGRAM " each -k -j4 --pipe --block 100K cat | md5sum; "
                "seq 1000000 | md5sum"},
               gather.folder().path(),
               {},
               ""})
          .end();
  CHECK(ending.out.substr(0, ending.out.size() / 2) == ending.out.substr(ending.out.size() / 2));
}

TEST_CASE("each: what can't go together with --pipe starts nothing", "[cli][each][pipe]") {
  const auto refused = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"each", "--pipe"});
    const Ending ending = Gather().input("a\n").run(arguments);
    CHECK(ending.out.empty());
    CHECK(ending.status == 2);
    return ending.err;
  };
  CHECK_THAT(refused({"cat", ":::", "a"}), Catch::Contains("leave out :::"));
  CHECK_THAT(refused({}), Catch::Contains("needs a command"));
  CHECK_THAT(refused({"--block", "much", "cat"}), Catch::Contains("--block"));
  CHECK_THAT(refused({"--recend", "", "-N", "1", "cat"}), Catch::Contains("--recend"));
  CHECK_THAT(refused({"--joblog", "log", "--resume", "cat"}), Catch::Contains("--resume"));
}

TEST_CASE("each: --delay keeps starts apart", "[cli][each]") {
  Gather gather;
  REQUIRE(gather.run({"each", "--delay", "50ms", "--report", "json=report", "true", ":::", "a", "b", "c"})
              .status == 0);
  const auto report = nlohmann::json::parse(gather.folder().read("report"));
  for (std::size_t i = 1; i < 3; ++i)
    CHECK(report["tasks"][i]["attempts"][0]["start_ms"].get<double>() -
              report["tasks"][i - 1]["attempts"][0]["start_ms"].get<double>() >=
          49.99);  // The report rounds to a microsecond.
}
