#include "core/run/fetch_executor.hpp"

#include "core/async/combine/task_group.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

using namespace gather::run;
using namespace gather::test;
namespace async = gather::async;
namespace fs = std::filesystem;
namespace job = gather::job;

namespace {

/// A job of fetches in a folder of its own, and a server that sends "hello" for all but /SUMS.
class Fetches {
 public:
  Fetches() : server_([this](const ScriptedServer::Request& asked) { return answer(asked); }) {
    std::string name = (fs::temp_directory_path() / "gather-run-XXXXXX").native();
    job_.directory = mkdtemp(name.data());
  }
  Fetches(const Fetches&) = delete;
  Fetches& operator=(const Fetches&) = delete;
  ~Fetches() { fs::remove_all(job_.directory); }

  void add(job::Fetch fetch) {
    fetch.url = server_.url("/file");
    job::Task task;
    task.id = fmt::format("t{}", job_.tasks.size());
    task.action = std::make_unique<const job::Fetch>(std::move(fetch));
    job_.tasks.push_back(std::move(task));
  }
  std::string url(std::string_view target) const { return server_.url(target); }
  void sums(std::string text) { sums_ = std::move(text); }
  void write(const char* name, std::string_view text) const { std::ofstream(job_.directory / name) << text; }
  std::string read(const char* name) const {
    std::ifstream file(job_.directory / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// A link `name` to `target`, and the folder `target` if it is to be in the job's.
  void link(const char* name, const fs::path& target) const {
    if (target.is_relative()) fs::create_directory(job_.directory / target);
    fs::create_directory_symlink(target, job_.directory / name);
  }
  std::size_t asked(std::string_view target) const {
    std::size_t count = 0;
    for (const auto& request : server_.requests()) count += request.target == target;
    return count;
  }

  /// How each attempt ended, all at once.
  std::string run() {
    async::Loop loop;
    gather::net::Session session(loop);
    FetchExecutor executor(session);
    std::vector<AttemptResult> results(job_.tasks.size());
    const int signal = 15;
    const std::string run_id = "r";
    std::vector<AttemptContext> contexts;
    for (std::size_t i = 0; i < results.size(); ++i)
      contexts.push_back({job_, job::TaskId(static_cast<std::uint32_t>(i)), 1, 1, run_id, signal});
    loop.run(async::task_group([&](async::TaskGroup& group) -> async::Co<> {
      for (std::size_t i = 0; i < results.size(); ++i) group.spawn(executor.attempt(contexts[i], results[i]));
      co_return;
    }));
    std::string text;
    for (const AttemptResult& result : results) text += (text.empty() ? "" : "; ") + describe(result.outcome);
    return text;
  }

 private:
  ScriptedServer::Reply answer(const ScriptedServer::Request& asked) const {
    if (asked.target == "/SUMS") return {response(200, sums_)};
    if (asked.target == "/file") return {response(200, "hello")};
    return {response(404, "gone")};
  }

  std::string sums_;
  job::Job job_;
  ScriptedServer server_;
};

const std::string hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

job::Fetch to(const char* output, std::string list) {
  job::Fetch fetch;
  fetch.output = output;
  fetch.saving.edit().checksums = std::move(list);
  return fetch;
}

}  // namespace

TEST_CASE("C62: a folder that is a link may lead to another place of the job's folder, not out of it",
          "[run][fetch]") {
  Fetches fetches;
  fetches.link("out", fs::temp_directory_path());
  fetches.link("in", "real");
  job::Fetch outside;
  outside.output = "out/gather-must-not-exist";
  fetches.add(std::move(outside));
  job::Fetch inside;
  inside.output = "in/x";
  fetches.add(std::move(inside));
  CHECK_THAT(fetches.run(),
             Catch::StartsWith("can't write out/gather-must-not-exist: its folder is a link to ") &&
                 Catch::EndsWith("; passed"));
  CHECK_FALSE(fs::exists(fs::temp_directory_path() / "gather-must-not-exist"));
  CHECK(fetches.read("real/x") == "hello");
}

TEST_CASE("a list of checksums is fetched once for all who need it", "[run][fetch]") {
  Fetches fetches;
  fetches.sums(hello + "  a.txt\n" + hello + " *dist/b.txt\n" + std::string(64, '0') + "  c.txt\n");
  for (const char* name : {"a.txt", "sub/b.txt", "c.txt", "d.txt"})
    fetches.add(to(name, fetches.url("/SUMS")));
  CHECK(fetches.run() ==
        fmt::format("passed; passed; checksum is {}, expected {}; no checksum in {}: \"d.txt\" is "
                    "not listed",
                    hello, std::string(64, '0'), fetches.url("/SUMS")));
  CHECK(fetches.asked("/SUMS") == 1);
  CHECK(fetches.read("a.txt") == "hello");
  CHECK(fetches.read("c.txt").empty());
}

TEST_CASE("a list of checksums is a file, too, and one that can't be read fails the task", "[run][fetch]") {
  Fetches fetches;
  fetches.write("SUMS", "SHA256 (a) = " + hello + "\n");
  fetches.write("PAGE", "<html>not found</html>");
  fetches.add(to("a", "SUMS"));
  fetches.add(to("b", "NONE"));
  fetches.add(to("c", "PAGE"));
  fetches.add(to("d", fetches.url("/NONE")));
  CHECK(fetches.run() ==
        "passed; can't read the list of checksums NONE: No such file or directory; can't use the list of "
        "checksums "
        "PAGE: line 1 is no line of a list of checksums: \"<html>not found</html>\"; HTTP status 404: gone");
}
