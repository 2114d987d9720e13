// Many downloads with a fault at a random moment of each; few of them in `make test`, many in `make slow`.
#include "tests/cli/program.hpp"
#include "tests/support/ranged_file.hpp"
#include "tests/support/replies.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <poll.h>

#include <csignal>
#include <map>
#include <random>
#include <set>
#include <vector>

using namespace gather::test;

namespace {

using Manner = RangedFile::Manner;
using Reply = ScriptedServer::Reply;
using Request = ScriptedServer::Request;
using Then = ScriptedServer::Then;

constexpr int files = 100;

/// Made once: the server's script, which one thread at a time may call, has no time for it.
const std::vector<std::string>& contents() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> texts(files);
    for (int i = 0; i < files; ++i)
      while (texts[static_cast<std::size_t>(i)].size() < 20'000)
        texts[static_cast<std::size_t>(i)] +=
            fmt::format("{} at {}\n", i, texts[static_cast<std::size_t>(i)].size());
    return texts;
  }();
  return made;
}

const std::string& content(int number) { return contents().at(static_cast<std::size_t>(number)); }

std::set<int> complete(const Gather& gather) {
  std::set<int> there;
  for (int i = 0; i < files; ++i)
    if (gather.folder().has(fmt::format("out/{}", i))) there.insert(i);
  return there;
}

void check_files(const Gather& gather) {
  int right = 0;
  for (int i = 0; i < files; ++i)
    right += gather.folder().read(fmt::format("out/{}", i)) == content(i) ? 1 : 0;
  CHECK(right == files);
  std::string others;
  for (const auto& entry : std::filesystem::directory_iterator(gather.folder().path() / "out"))
    if (entry.path().filename().string().contains(".part")) others += entry.path().filename().string() + ' ';
  CHECK(others.empty());
}

/// One download of a hundred files, killed up to three times and started again each time until it ends by
/// itself.
void kill_and_rerun(std::mt19937& random) {
  const auto serve = [](const Request& request) -> Reply {
    const int number = std::stoi(request.target.substr(1));
    const RangedFile file{content(number), fmt::format("\"v{}\"", number)};
    return {file.answer(request), Then::keep, {}, 5000, std::chrono::milliseconds(1)};
  };
  ScriptedServer server(serve);
  std::string text = "tasks:\n";
  for (int i = 0; i < files; ++i)
    text += fmt::format("  t{0}: {{ fetch: {{ url: \"{1}\", output: out/{0}, if_exists: skip }} }}\n", i,
                        server.url(fmt::format("/{}", i)));
  Gather gather;
  gather.file("gather.yaml", text);
  std::uniform_int_distribution<int> moment(10, 120);
  for (int kills = 0;; ++kills) {
    const std::set<int> there = complete(gather);
    const std::size_t before = server.requests().size();
    Program program = gather.start({"-q"});
    if (kills < 3) {
      poll(nullptr, 0, moment(random));  // The moment is what is random here.
      program.signal(SIGKILL);
    }
    const Ending ending = program.end();
    int again = 0;
    const auto requests = server.requests();
    for (std::size_t i = before; i < requests.size(); ++i)
      again += there.contains(std::stoi(requests[i].target.substr(1))) ? 1 : 0;
    CHECK(again == 0);  // What was complete is not asked for again.
    if (ending.status == 0) break;
    CAPTURE(ending.err);
    REQUIRE(ending.status == 137);
  }
  check_files(gather);
}

/// `trials` files that each change, size kept, after a first answer that was cut at a random byte; the server
/// answers ranges rightly or wrongly. Two runs, each with retries. A file that came must be of one version.
void change_between_attempts(int trials, bool whole_run_between) {
  constexpr std::size_t size = 50'000;
  const std::vector<Manner> manners{Manner::right,          Manner::ignores_range, Manner::ignores_if_range,
                                    Manner::drops_etag,     Manner::wrong_start,   Manner::changed_total,
                                    Manner::never_satisfied};
  std::mt19937 random(11);
  std::map<std::string, int> asked;
  ScriptedServer server([&](const Request& request) -> Reply {
    const int number = std::stoi(request.target.substr(1));
    const int attempt = asked[request.target]++;
    const RangedFile file{std::string(size, attempt == 0 ? 'a' : 'b'), attempt == 0 ? "\"a\"" : "\"b\"",
                          manners[static_cast<std::size_t>(number) % manners.size()]};
    if (attempt == 0)
      return cut(file.answer(request), random() % size, random() % 2 == 0 ? Then::close : Then::reset);
    return {file.answer(request)};
  });
  std::string text = fmt::format("defaults: {{ retry: {{ attempts: {}, delay: 1ms }} }}\ntasks:\n",
                                 whole_run_between ? 1 : 4);
  for (int i = 0; i < trials; ++i)
    text += fmt::format("  t{0}: {{ fetch: {{ url: \"{1}\", output: out/{0} }} }}\n", i,
                        server.url(fmt::format("/{}", i)));
  Gather gather;
  gather.file("gather.yaml", text);
  if (whole_run_between) CHECK(gather.run({"-q"}).status == 1);
  const Ending ending = gather.run({"-q"});
  int spliced = 0;
  int missing = 0;
  for (int i = 0; i < trials; ++i) {
    const std::string name = fmt::format("out/{}", i);
    if (gather.folder().has(name))
      spliced += gather.folder().read(name) == std::string(size, 'b') ? 0 : 1;
    else
      ++missing;
  }
  CAPTURE(ending.err.substr(0, 4000));
  CHECK(spliced == 0);
  CHECK((missing == 0) == (ending.status == 0));
}

}  // namespace

TEST_CASE("killed at any moment and run again, a download ends right", "[cli][fetch][campaign]") {
  std::mt19937 random(std::random_device{}());
  for (int trial = 0; trial < 20; ++trial) kill_and_rerun(random);
}

TEST_CASE("killed at any moment and run again, a download ends right, 200 times",
          "[.slow][cli][fetch][campaign]") {
  std::mt19937 random(std::random_device{}());
  for (int trial = 0; trial < 200; ++trial) kill_and_rerun(random);
}

TEST_CASE("a file that changes between two attempts is never spliced", "[cli][fetch][campaign]") {
  change_between_attempts(50, false);
  change_between_attempts(50, true);
}

TEST_CASE("a file that changes between two attempts is never spliced, 1,000 times",
          "[.slow][cli][fetch][campaign]") {
  change_between_attempts(500, false);
  change_between_attempts(500, true);
}
