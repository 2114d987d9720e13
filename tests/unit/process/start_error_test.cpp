#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>

using namespace gather;
using namespace gather::test;
using async::StartFailure;
using async::StartStep;

namespace {

/// No more files than are open now, and `more`.
class FewFiles {
 public:
  explicit FewFiles(rlim_t more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    // Numbers are given out lowest first, so that the next one shows how many are in use without a gap.
    const int next = dup(0);
    close(next);
    const rlimit few{static_cast<rlim_t>(next) + more, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
  }
  FewFiles(const FewFiles&) = delete;
  FewFiles& operator=(const FewFiles&) = delete;
  ~FewFiles() { lift(); }
  void lift() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

async::StartError error_of(const Ran& ran) {
  return ran.end ? async::StartError{StartFailure::other, "it did start"} : ran.end.error();
}

}  // namespace

TEST_CASE("each reason why a program can't start has its own sentence, on every start path", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const TemporaryFolder folder;
  folder.write("plain", "#!/bin/sh\n", 0644);
  folder.write("text", "echo a shell would run this\n", 0755);
  folder.write("empty-line", "#!\n", 0755);
  folder.write("old", "#!/no/such/interpreter -x\nhello\n", 0755);
  const std::string in = folder.path() + "/";
  struct Case {
    std::vector<std::string> argv;
    std::string directory;
    StartFailure kind;
    std::string why;
  };
  const std::vector<Case> cases = {
      {{"no-such-program", "x"},
       "",
       StartFailure::not_found,
       "there is no program \"no-such-program\" in PATH (\"/usr/local/bin:/usr/bin:/bin\"); is it "
       "installed?"},
      {{"/no/such"}, "", StartFailure::not_found, "there is no program \"/no/such\""},
      {{"./none"},
       folder.path(),
       StartFailure::not_found,
       fmt::format("there is no program \"./none\" in the working directory \"{}\"", folder.path())},
      {{""}, "", StartFailure::not_found, "the program's name is empty"},
      {{in + "plain"},
       "",
       StartFailure::not_executable,
       fmt::format("\"{}plain\" may not be executed; chmod +x would allow it", in)},
      {{"/usr/bin"}, "", StartFailure::is_directory, "\"/usr/bin\" is a directory, not a program"},
      {{in + "text"},
       "",
       StartFailure::no_interpreter,
       fmt::format("\"{}text\" is no program, and has no #! line that would name its interpreter", in)},
      {{in + "empty-line"},
       "",
       StartFailure::no_interpreter,
       fmt::format("\"{}empty-line\" names no interpreter in its #! line", in)},
      {{in + "old"},
       "",
       StartFailure::no_interpreter,
       fmt::format("\"{}old\" needs the interpreter \"/no/such/interpreter\", which is not there; its first "
                   "line names it",
                   in)},
      {{"true"},
       "/no/such/place",
       StartFailure::bad_directory,
       "can't enter the working directory \"/no/such/place\": No such file or directory"},
      {{"true"},
       in + "plain",
       StartFailure::bad_directory,
       fmt::format("can't enter the working directory \"{}plain\": Not a directory", in)},
      {{"true", std::string(200'000, 'x')},
       "",
       StartFailure::too_long,
       "an argument or environment value of \"true\" is longer than one process can take (131072 bytes at "
       "most); pass it on stdin or in a file"},
  };
  for (const Case& one : cases) {
    const async::StartError error = error_of(run(one.argv, {.path = path, .directory = one.directory}));
    CHECK(error.why == one.why);
    CHECK(error.kind == one.kind);
    CHECK(!error.temporary());
  }
  CHECK(!has_children());
}

TEST_CASE("a list of arguments that is too long as a whole says how long it is", "[process]") {
  std::vector<std::string> argv(70, std::string(100'000, 'x'));
  argv.front() = "true";
  const async::StartError error = error_of(run(argv));
  CHECK(error.kind == StartFailure::too_long);
  CHECK_THAT(error.why, Catch::StartsWith("arguments and environment of \"true\" are 69006"));
}

TEST_CASE("a program for another machine is told from a script without an interpreter", "[process]") {
  const TemporaryFolder folder;
  folder.write("alien",
               std::string("\x7f"
                           "ELF",
                           4) +
                   std::string(200, '\0'),
               0755);
  const async::StartError error = error_of(run({"./alien"}, {.directory = folder.path()}));
  CHECK(error.kind == StartFailure::wrong_format);
  CHECK(error.why == "\"./alien\" is a program for another kind of machine, or damaged: Exec format error");
}

TEST_CASE("PATH is searched as the child will see it, without its empty elements", "[process]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const TemporaryFolder folder;
  folder.write("tool", "#!/bin/sh\necho found\n", 0755);
  folder.write("dull", "not executable\n");
  std::filesystem::create_directory(folder.path() + "/later");
  folder.write("later/dull", "#!/bin/sh\necho later\n", 0755);
  const auto told = [&](const std::string& name, const std::string& search) {
    const Ran ran = run({name}, {.path = path, .directory = folder.path(), .environment = {search}});
    return ran.end ? ran.out() : ran.end.error().why;
  };
  CHECK(told("tool", "PATH=/nowhere:" + folder.path()) == "found\n");
  CHECK(told("tool", "PATH=/nowhere:.") == "found\n");
  CHECK(told("tool", "PATH=:/nowhere:") ==
        "there is no program \"tool\" in PATH (\":/nowhere:\"); is it installed?");
  CHECK(told("tool", "PATHS=.") == "there is no program \"tool\" in /bin or /usr/bin, and PATH is not set");
  CHECK(told("dull", "PATH=.:later") == "later\n");
  CHECK(told("dull", "PATH=.:/nowhere") == "\"./dull\" may not be executed; chmod +x would allow it");
}

TEST_CASE("lack of processes, files and a busy program are temporary, and say what to do", "[process]") {
  const async::ChildSpec spec{.argv = {"tool"}};
  const auto processes = explain_start(spec, StartStep::process, EAGAIN);
  CHECK(processes.why ==
        "too many processes; raise the limit (ulimit -u, or the container's), or run fewer at once");
  CHECK(processes.temporary());
  const auto files = async::explain_descriptors(EMFILE);
  CHECK(files.why == "too many open files; raise the limit (ulimit -n), or run fewer at once");
  CHECK(files.temporary());
  CHECK(async::explain_descriptors(ENFILE).why ==
        "too many open files in the whole system; run fewer at once");
  const auto busy = explain_start(spec, StartStep::program, ETXTBSY);
  CHECK(busy.why == "\"tool\" is being written, so it can't run yet");
  CHECK(busy.temporary());
}

TEST_CASE("a start waits a while for descriptors, and goes on when there are some", "[process]") {
  const rlim_t more = GENERATE(0u, 2u, 4u);  // Too few for the first pipe, the second, the pidfd.
  Loop loop;
  const auto starter = process::make_starter(loop);
  process::ProcessResult result;
  const process::StopPolicy policy;
  const auto end = loop.run([](Loop& on, auto& from, auto& stop, auto& into, rlim_t left) -> Co<Ran> {
    // The loop makes its own descriptors with its first watch.
    co_await process::run_process(from, {.argv = {"true"}}, stop, into);
    FewFiles few(left);
    on.call_later(25ms, [&few] { few.lift(); });
    co_return Ran{.end = co_await process::run_process(from, {.argv = {"true"}}, stop, into), .result = {}};
  }(loop, *starter, policy, result, more));
  CHECK(end.told() == "exit 0");
}

TEST_CASE("a start without descriptors gives up after about a second", "[process]") {
  Loop loop;
  const auto starter = process::make_starter(loop);
  process::ProcessResult result;
  const process::StopPolicy policy;
  const FewFiles few(4);
  const auto began = loop.now();
  const auto end = loop.run(process::run_process(*starter, {.argv = {"true"}}, policy, result));
  REQUIRE(!end);
  CHECK(end.error().why == "too many open files; raise the limit (ulimit -n), or run fewer at once");
  CHECK(loop.now() - began >= 900ms);
  CHECK(!has_children());
}
