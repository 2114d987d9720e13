// gather and make's jobserver: as its client, and as one itself. With the make that is installed, and with a
// jobserver of the tests' own.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>

using namespace gather::test;

namespace {

/// Counts how many of it run at the same time, and is not done before there have been `wanted` at once.
std::string counting(int wanted) {
  return fmt::format(
      "touch on.$$; ls on.* 2> /dev/null | wc -l >> counts; "
      "until [ -e reached ] || [ `ls on.* 2> /dev/null | wc -l` -ge {} ]; do sleep 0.01; done; touch "
      "reached; "
      "ls on.* 2> /dev/null | wc -l >> counts; sleep 0.02; ls on.* 2> /dev/null | wc -l >> counts; rm on.$$",
      wanted);
}

int most_counted(const Folder& folder) {
  std::istringstream counts(folder.read("counts"));
  int most = 0;
  for (int count = 0; counts >> count;) most = std::max(most, count);
  return most;
}

/// What make says at its end if a token is missing, or one too many.
void check_tokens(const Ending& ending) {
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK_THAT(ending.err, !Catch::Contains("jobserver"));
  CHECK_THAT(ending.err, !Catch::Contains("INTERNAL"));
}

Ending make(const Folder& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "make");
  return Program({arguments, folder.path(), {}, ""}).end();
}

/// A jobserver that is a fifo of ours, with so many tokens; gather's flags for it.
class Peer {
 public:
  explicit Peer(const Folder& folder, int tokens) : path_(folder.path() / "fifo"), tokens_(tokens) {
    REQUIRE(mkfifo(path_.c_str(), 0600) == 0);
    fifo_ = open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    for (int i = 0; i < tokens; ++i) REQUIRE(::write(fifo_, "+", 1) == 1);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { close(fifo_); }

  int tokens() const {
    int count = -1;
    ioctl(fifo_, FIONREAD, &count);
    return count;
  }
  bool has_all() const { return tokens() == tokens_; }

  /// The command, as a client of the fifo by its name, or by two descriptors.
  std::vector<std::string> client(bool by_name, const std::string& arguments) const {
    const std::string auth = by_name ? "fifo:" + path_ : std::string("8,9");
    return {"sh", "-c",
            fmt::format(
                "exec 8<>{0} 9>{0}; MAKEFLAGS=' -j{1} --jobserver-auth={2}'; export MAKEFLAGS; exec {3} {4}",
                path_, tokens_ + 1, auth, GATHER_PROGRAM, arguments)};
  }

 private:
  std::string path_;
  int tokens_;
  int fifo_ = -1;
};

pid_t launcher_of(pid_t pid) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (pid_t child = 0; children >> child;) {
    std::string name;
    std::ifstream(fmt::format("/proc/{}/comm", child)) >> name;
    if (name == "gather-launcher") return child;
  }
  return 0;
}

}  // namespace

TEST_CASE("under make -j4 four gathers never run more than four processes in all", "[cli][jobserver]") {
  Folder folder;
  folder.write("count.sh", counting(4));
  folder.write("Makefile",
               "all: a b c d\na b c d:\n\t+@" GATHER_PROGRAM " each 'sh count.sh {}' ::: 1 2 3 4 5 6 7 8\n");
  check_tokens(make(folder, {"-j4"}));
  CHECK(most_counted(folder) == 4);
}

TEST_CASE("under make -j3 a job file's processes take its tokens, and sleeps take none", "[cli][jobserver]") {
  Folder folder;
  folder.write("count.sh", counting(3));
  std::string tasks = "tasks:\n";
  for (int i = 0; i < 8; ++i)
    tasks += fmt::format("  p{0}: {{ run: [sh, count.sh] }}\n  s{0}: {{ sleep: 50ms }}\n", i);
  folder.write("gather.yaml", tasks);
  folder.write("Makefile", "all:\n\t+@" GATHER_PROGRAM " -q\n");
  check_tokens(make(folder, {"-j3"}));
  CHECK(most_counted(folder) == 3);
}

TEST_CASE("two makes under gather never run more than gather's slots in all", "[cli][jobserver]") {
  Gather gather;
  gather.file("count.sh", counting(4));
  gather.file("Makefile", "JOBS = 1 2 3 4 5 6 7 8\nall: $(JOBS)\n$(JOBS):\n\t@sh count.sh\n");
  gather.file("gather.yaml",
              "limits: { processes: 4 }\ntasks:\n  one: { run: [make] }\n  two: { run: [make] }\n"
              "  three: { run: [sh, count.sh] }\n  four: { run: [sh, count.sh] }\n");
  const Ending ending = gather.run({});
  check_tokens(ending);
  CHECK(most_counted(gather.folder()) == 4);
}

TEST_CASE("a make under a gather under make shares that make's slots", "[cli][jobserver]") {
  Folder folder;
  folder.write("count.sh", counting(3));
  folder.write("Makefile", "all: x y\nx y:\n\t+@" GATHER_PROGRAM " each 'make -f inner.mk {}' ::: all\n");
  folder.write("inner.mk", "all: 1 2 3 4 5\n1 2 3 4 5:\n\t@sh count.sh\n");
  check_tokens(make(folder, {"-j3"}));
  CHECK(most_counted(folder) == 3);
}

TEST_CASE("a recipe line without + is no part of the jobserver, and gather says so", "[cli][jobserver]") {
  Folder folder;
  folder.write("Makefile", "all:\n\t@" GATHER_PROGRAM " each -k echo {} ::: 1 2\n");
  const Ending ending = make(folder, {"-j2"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "1\n2\n");
  CHECK_THAT(ending.err, Catch::Contains("gather: make's jobserver is not used: its descriptors ") &&
                             Catch::Contains("put a + before the line of the recipe"));
}

TEST_CASE("who gives -j does not share make's slots, and is told so", "[cli][jobserver]") {
  Folder folder;
  const Peer peer(folder, 0);
  folder.write("count.sh", counting(3));
  Program program({peer.client(true, "each -j 3 'sh count.sh {}' ::: 1 2 3"), folder.path(), {}, ""});
  const Ending ending = program.end();
  CHECK(ending.status == 0);
  CHECK_THAT(ending.err,
             Catch::Contains("gather: make's jobserver is not used: --jobs gives a number of slots\n"));
  CHECK(most_counted(folder) == 3);
}

TEST_CASE("make -n has gather plan, and start nothing", "[cli][jobserver]") {
  Folder folder;
  folder.write("gather.yaml", "tasks: { a: { run: [touch, done] } }\n");
  folder.write("Makefile", "all:\n\t+@" GATHER_PROGRAM "\n\t+@" GATHER_PROGRAM " each touch done ::: x\n");
  const Ending ending = make(folder, {"-n"});
  CHECK(ending.status == 0);
  CHECK_THAT(ending.out, Catch::Contains("1  a     touch done ") && Catch::Contains("\ntouch done x\n"));
  CHECK_FALSE(folder.has("done"));
}

TEST_CASE("through a fifo or two descriptors, gather holds a token for each process but one",
          "[cli][jobserver]") {
  const bool by_name = GENERATE(true, false);
  Folder folder;
  const Peer peer(folder, 2);
  folder.write("count.sh", counting(3));
  Program program({peer.client(by_name, "each 'sh count.sh {}' ::: 1 2 3 4 5 6 7 8"), folder.path(), {}, ""});
  check_tokens(program.end());
  CHECK(most_counted(folder) == 3);
  CHECK(peer.has_all());
}

TEST_CASE("every token goes back, however gather ends", "[cli][jobserver]") {
  const auto [signal, status] = GENERATE(table<int, int>({{SIGINT, 130}, {SIGTERM, 143}, {SIGKILL, 137}}));
  const bool by_name = GENERATE(true, false);
  Folder folder;
  const Peer peer(folder, 3);
  Program program({peer.client(by_name, "each 'sh -c \"echo up; exec sleep 600\" {}' ::: 1 2 3 4 5 6"),
                   folder.path(),
                   {},
                   ""});
  REQUIRE(eventually([&] { return peer.tokens() == 0; }));
  program.signal(signal);
  CHECK(program.end().status == status);
  CHECK(eventually([&] { return peer.has_all(); }));
}

TEST_CASE("every token goes back when the launcher is killed", "[cli][jobserver]") {
  Folder folder;
  const Peer peer(folder, 3);
  Program program({peer.client(true, "each 'sleep 600 {}' ::: 1 2 3 4 5 6"), folder.path(), {}, ""});
  REQUIRE(eventually([&] { return peer.tokens() == 0; }));
  const pid_t launcher = launcher_of(program.pid());
  REQUIRE(launcher > 0);
  kill(launcher, SIGKILL);
  CHECK(program.end().status == 70);
  CHECK(peer.has_all());
}

namespace {

/// One half is killed at a random moment, while tokens are taken and given.
void kill_at_random(int trial, std::mt19937& random) {
  CAPTURE(trial);
  Folder folder;
  const Peer peer(folder, 3);
  Program program(
      {peer.client(trial % 2 == 0,
                   "each --shell 'sleep 0.0{}' ::: 0 1 2 0 0 1 0 0 0 1 0 2 0 0 0 1 0 0 3 0 0 0 1 0 0 0 0"),
       folder.path(),
       {},
       ""});
  usleep(static_cast<useconds_t>(random() % 150'000));
  const pid_t launcher = launcher_of(program.pid());
  if (trial % 4 < 2 || launcher == 0)
    program.signal(SIGKILL);
  else
    kill(launcher, SIGKILL);
  program.end();
  CHECK(eventually([&] { return peer.tokens() >= 3; }));
  CHECK(peer.tokens() == 3);
}

}  // namespace

TEST_CASE("half of gather killed at any moment loses no token", "[cli][jobserver]") {
  std::mt19937 random(5);
  for (int trial = 0; trial < 24; ++trial) kill_at_random(trial, random);
}

TEST_CASE("nor does it in a thousand trials", "[.slow][cli][jobserver]") {
  std::mt19937 random(6);
  for (int trial = 0; trial < 1000; ++trial) kill_at_random(trial, random);
}

TEST_CASE("a make that is killed under gather takes no slots with it", "[cli][jobserver]") {
  Gather gather;
  gather.file("count.sh", counting(3));
  // It is killed when it has all tokens; what it had started goes with its group.
  gather.file("Makefile", "all: 1 2 3\n1 2 3:\n\t@touch begun.$@; sleep 600\n");
  gather.file(
      "gather.yaml",
      "limits: { processes: 3 }\ntasks:\n"
      "  bad: { run: [sh, -c, 'make & until [ -e begun.1 -a -e begun.2 -a -e begun.3 ]; do sleep 0.01; done; "
      "kill -9 $!'] }\n"
      "  a: { needs: pause, run: [sh, count.sh] }\n  b: { needs: pause, run: [sh, count.sh] }\n"
      "  c: { needs: pause, run: [sh, count.sh] }\n  pause: { needs: bad, sleep: 1ms }\n");
  const Ending ending = gather.run({});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK_THAT(ending.err, Catch::Contains("gather: 2 tokens of the jobserver were not given back"));
  CHECK(most_counted(gather.folder()) == 3);
}

TEST_CASE("processes find the style of jobserver that was asked for", "[cli][jobserver]") {
  Gather gather;
  const auto flags = [&](const std::string& style) {
    return gather.run({"each", "-j", "4", "--jobserver", style, "--shell", "echo $MAKEFLAGS {}", ":::", "x"});
  };
  CHECK(flags("pipe").out == "-j4 --jobserver-auth=3,4 x\n");
  CHECK_THAT(flags("fifo").out, Catch::StartsWith("-j4 --jobserver-auth=fifo:/"));
  CHECK(flags("none").out == "x\n");
  const Ending wrong = flags("socket");
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err,
             Catch::Contains("--jobserver: \"socket\" is no style of a jobserver; one of pipe, fifo, none"));
}

TEST_CASE("a child has the pipe of the jobserver, and no other descriptor", "[cli][jobserver]") {
  Gather gather;
  const std::string list =
      "ls /proc/self/fd | wc -l # {}";  // With the one that ls itself reads the folder by.
  CHECK(gather.run({"each", "-j2", "--shell", list, ":::", "x"}).out == "6\n");
  CHECK(gather.run({"each", "-j2", "--jobserver", "none", "--shell", list, ":::", "x"}).out == "4\n");
}
