// `--output` and `--progress`: what is shown of tasks, when, and what a slow reader of it costs.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

using namespace gather::test;

namespace {

constexpr std::size_t memory_allowed_kb = std::size_t{64} * 1024;

/// Three tasks whose order of ending is not that of the file: the first waits for the last.
constexpr const char* three_tasks =
    "tasks:\n"
    "  slow: { shell: 'echo slow; until [ -e done ]; do sleep 0.01; done; echo slow too' }\n"
    "  bad:  { shell: 'echo bad; echo why >&2; exit 3' }\n"
    "  good: { shell: 'echo good; touch done' }\n";

/// A named pipe whose reading end is open, and read only when asked.
class SlowReader {
 public:
  explicit SlowReader(const Folder& folder) {
    const std::string name = folder.path() / "pipe";
    REQUIRE(mkfifo(name.c_str(), 0600) == 0);
    descriptor_ = open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(descriptor_ >= 0);
  }
  SlowReader(const SlowReader&) = delete;
  SlowReader& operator=(const SlowReader&) = delete;
  ~SlowReader() { close(descriptor_); }

  /// Everything, to the end; how many bytes, and whether all of them were `letter` but the newlines.
  std::pair<std::size_t, bool> read_all(char letter) {
    std::size_t count = 0;
    bool all = true;
    std::array<char, 65536> buffer;
    for (;;) {
      pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
      REQUIRE(poll(&ready, 1, 30'000) == 1);
      const ssize_t length = read(descriptor_, buffer.data(), buffer.size());
      if (length == 0) return {count, all};
      if (length < 0) continue;
      count += static_cast<std::size_t>(length);
      all = all && std::all_of(buffer.begin(), buffer.begin() + length,
                               [&](char c) { return c == letter || c == '\n'; });
    }
  }

 private:
  int descriptor_ = -1;
};

Program start_into_pipe(const std::string& arguments, const Folder& folder) {
  return Program({{"sh", "-c", fmt::format("exec {} {} > pipe", GATHER_PROGRAM, arguments)},
                  folder.path(),
                  frees_at_once,
                  ""});
}

/// The most memory that the program had resident until it ended.
std::size_t peak_until_end(const Program& program) {
  std::size_t peak = 0;
  for (std::size_t now = program.peak_memory_kb(); now > 0; now = program.peak_memory_kb()) {
    peak = now;
    look_again_soon();
  }
  return peak;
}

/// `size` bytes from one child into a file in that mode.
void through_whole(const std::string& mode, std::size_t size) {
  Folder folder;
  Program program(
      {{"sh", "-c",
        fmt::format("exec {} each --output {} --shell ': {{}}; head -c {} /dev/zero | tr \"\\0\" x' ::: a "
                    "> out",
                    GATHER_PROGRAM, mode, size)},
       folder.path(),
       frees_at_once,
       ""});
  const std::size_t peak = peak_until_end(program);
  CHECK(program.end().status == 0);
  CHECK(peak > 0);
  CHECK(peak < memory_allowed_kb);
  std::ifstream out(folder.path() / "out", std::ios::binary);
  std::array<char, 65536> buffer;
  std::size_t count = 0;
  bool all = true;
  while (out.read(buffer.data(), buffer.size()) || out.gcount() > 0) {
    count += static_cast<std::size_t>(out.gcount());
    all = all && std::all_of(buffer.begin(), buffer.begin() + out.gcount(), [](char c) { return c == 'x'; });
  }
  CHECK(count == size);
  CHECK(all);
}

}  // namespace

TEST_CASE("--output stream shows whole lines while tasks run, in run and in each", "[cli][output]") {
  const bool each = GENERATE(false, true);
  Gather gather;
  const std::string script =
      "echo first; printf part; until [ -e go ]; do sleep 0.01; done; echo ' whole'; "
      "printf 'end\\033[2J\\377'";
  gather.file("gather.yaml", fmt::format("tasks:\n  a:\n    shell: |\n      {}\n", script));
  gather.file("script", script);
  Program program =
      gather.start(each ? std::vector<std::string>{"each", "--output", "stream", "sh", ":::", "script"}
                        : std::vector<std::string>{"--output", "stream"});
  program.wait_for_out("first\n");
  gather.folder().write("go", "");
  const Ending ending = program.end();
  CHECK(ending.out == "first\npart whole\nend\x1b[2J\xff");
  CHECK(ending.status == 0);
}

TEST_CASE("--output keep-order, errors and quiet show what they say", "[cli][output]") {
  Gather gather;
  gather.file("gather.yaml", three_tasks);
  const auto out_and_why = [&](const std::string& mode) {
    std::filesystem::remove(gather.folder().path() / "done");
    const Ending ending = gather.run({"-q", "--output", mode});
    CHECK(ending.status == 1);
    CHECK_THAT(ending.err, Catch::Contains("    | why\n"));  // The digest has it in any case.
    return ending.out + (ending.err.starts_with("failed") && ending.err.contains("\nwhy\n") ? "(why)" : "");
  };
  CHECK(out_and_why("keep-order") == "slow\nslow too\nbad\ngood\n(why)");
  CHECK(out_and_why("errors") == "bad\n(why)");
  CHECK(out_and_why("quiet") == "");
}

TEST_CASE("each --output: the same modes for commands", "[cli][output]") {
  const Gather gather;
  const auto out = [&](const std::string& mode) {
    std::filesystem::remove(gather.folder().path() / "done");
    return gather
        .run({"each", "--output", mode, "--shell",
              "echo {}; if [ {} = a ]; then until [ -e done ]; do sleep 0.01; done; fi; [ {} != c ] || touch "
              "done; "
              "[ {} != b ]",
              ":::", "a", "b", "c"})
        .out;
  };
  CHECK(out("keep-order") == "a\nb\nc\n");
  CHECK(out("errors") == "b\n");
  CHECK(out("quiet") == "");
}

TEST_CASE("labels stand before every line that is streamed", "[cli][output]") {
  const Gather gather;
  CHECK(gather.run({"each", "--output", "stream", "--tag", "printf '1\\n2'", ":::", "a"}).out ==
        "a\t1\na\t2");
  CHECK(gather
            .run({"each", "-j1", "--output", "stream", "--tagstring", "<{}>", "printf '1\\n2'", ":::", "a",
                  "b"})
            .out == "<a>\t1\n<a>\t2\n<b>\t1\n<b>\t2");
}

TEST_CASE("an --output that is none, or two that contradict, starts nothing", "[cli][output]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [touch, ran] } }\n");
  CHECK(gather.run({"--output", "loud"}).err ==
        "gather: --output: \"loud\": one of stream, group, keep-order, errors, quiet\n");
  CHECK(gather.run({"--output", "loud"}).status == 2);
  CHECK(gather.run({"--progress", "much"}).err ==
        "gather: --progress: \"much\": one of auto, bar, lines, none\n");
  CHECK(gather.run({"each", "-k", "--output", "stream", "touch", ":::", "ran"}).err ==
        "gather: --output: stream and -k (--keep-order) contradict each other; give one of them\n");
  gather.variable("GATHER_OUTPUT", "loud");
  CHECK_THAT(gather.run({}).err, Catch::StartsWith("gather: GATHER_OUTPUT: "));
  CHECK(!gather.folder().has("ran"));
}

TEST_CASE("--progress lines tells every ending, none tells failures alone", "[cli][output]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [\"true\"] }, b: { run: [\"false\"] } }\n");
  const auto lines = [&](std::vector<std::string> arguments) {
    const std::string err = gather.run(std::move(arguments)).err;
    return std::pair(err.contains("  a\n"), err.starts_with("failed") || err.contains("\nfailed"));
  };
  CHECK(lines({"--progress", "none"}).second);
  CHECK(!gather.run({"--progress", "none"}).err.starts_with("ok"));
  CHECK(!gather.run({"--progress", "none"}).err.contains("\nok  "));
  CHECK(gather.run({"each", "--progress", "lines", "true", ":::", "x"}).err.starts_with("ok  "));
  CHECK(gather.run({"each", "true", ":::", "x"}).err.empty());
}

TEST_CASE("--output stream: a reader that goes away ends the run", "[cli][output]") {
  const Gather gather;
  Program program({{"sh", "-c",
                    fmt::format("{{ {} each --output stream yes ::: a; echo $? > status; }} | head -n 1",
                                GATHER_PROGRAM)},
                   gather.folder().path(),
                   {},
                   ""});
  CHECK(program.end().out == "a\n");
  CHECK(gather.folder().read("status") == "141\n");
}

TEST_CASE("A16: a reader that does not read holds the writers back, and nothing else", "[cli][output]") {
  // Every mode but stream: what has ended waits in a file, and the run goes on as well.
  const std::string mode = GENERATE("stream", "group");
  constexpr std::size_t size = 20'000'000;
  Folder folder;
  folder.write("gather.yaml",
               fmt::format("tasks:\n"
                           "  big:   {{ shell: 'head -c {} /dev/zero | tr \"\\0\" x' }}\n"
                           "  late:  {{ {} timeout: 300ms, retry: 0, run: [sleep, \"100\"] }}\n",
                           size, mode == "group" ? "needs: big," : ""));
  SlowReader reader(folder);
  Program program = start_into_pipe("--output " + mode, folder);
  program.wait_for_err("timed out   ");
  const std::size_t peak = program.peak_memory_kb();
  const auto [count, all] = reader.read_all('x');
  const Ending ending = program.end();
  CHECK(ending.status == 1);
  CHECK(count == size);
  CHECK(all);
  CHECK(peak > 0);
  CHECK(peak < memory_allowed_kb);
  CHECK(!ending.err.contains("left processes behind"));
}

TEST_CASE("A14: much from one child comes through whole, with little memory", "[cli][output]") {
  through_whole(GENERATE("stream", "group"), 50'000'000);
}

TEST_CASE("A14: 1 GB from one child comes through whole, with little memory", "[.slow][cli][output]") {
  through_whole(GENERATE("stream", "group"), 1'000'000'000);
}
