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

/// Fails `failures` times, as a system does that is short of something, before it starts anything.
class ShortOf final : public process::Starter {
 public:
  ShortOf(process::Starter& real, int failures) : real_(real), failures_(failures) {}

  Co<std::expected<std::unique_ptr<process::Child>, async::StartError>> start(
      const async::ChildSpec& spec, process::Bell& ended, process::ChildPolicy policy) override {
    if (++tries <= failures_) co_return std::unexpected(async::explain_descriptors(EMFILE));
    co_return co_await real_.start(spec, ended, policy);
  }
  void share(const process::SharedJobserver& jobserver, std::function<void()> ready) override {
    real_.share(jobserver, std::move(ready));
  }

  int tries = 0;

 private:
  process::Starter& real_;
  int failures_;
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

TEST_CASE("a child that can't be watched is not started at all", "[process]") {
  const TemporaryFolder folder;
  const async::ChildSpec spec{.argv = {"/bin/mkdir", folder.path() + "/started"}};
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  const rlimit none_left{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none_left);
  const auto child = async::start_child(spec);
  setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(!child);
  CHECK(child.error().kind == StartFailure::too_many_files);
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(!has_children());
}

TEST_CASE("a temporary lack is waited out", "[process]") {
  Loop loop;
  const auto real = starter_on(loop);
  ShortOf starter(*real, 3);
  process::ProcessResult result;
  const process::StopPolicy policy;
  const auto end = loop.run(process::run_process(starter, {.argv = {"true"}}, policy, result));
  CHECK(end.value() == process::Exit{});
  CHECK(starter.tries == 4);
}

TEST_CASE("a lack that stays is told after about a second", "[process]") {
  Loop loop;
  const auto real = starter_on(loop);
  ShortOf starter(*real, 1000);
  process::ProcessResult result;
  const process::StopPolicy policy;
  const auto began = loop.now();
  const auto end = loop.run(process::run_process(starter, {.argv = {"true"}}, policy, result));
  REQUIRE(!end);
  CHECK(end.error().why == "too many open files; raise the limit (ulimit -n), or run fewer at once");
  CHECK(loop.now() - began >= 900ms);
  CHECK(starter.tries == 8);
}

TEST_CASE("a program that waits to be started can be cancelled", "[process]") {
  Loop loop;
  const auto real = starter_on(loop);
  ShortOf starter(*real, 1000);
  process::ProcessResult result;
  const process::StopPolicy policy;
  CHECK_THROWS_AS(
      loop.run(async::timeout(
          30ms, [&] { return process::run_process(starter, {.argv = {"true"}}, policy, result); })),
      async::TimeoutError);
  CHECK(starter.tries < 4);
  CHECK(!result.exit);
}
