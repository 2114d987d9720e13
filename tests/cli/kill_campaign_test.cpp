// Either half of gather is hit by each ending signal at a random moment, while tasks run that are hard to get
// rid of. Nothing may survive. A few in `make test`, many in `make slow`.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <vector>

using namespace gather::test;

namespace {

const std::vector<std::string> shapes{"plain", "grandchild", "setsid", "daemonised", "stubborn"};

enum class Half { gather, launcher };

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();  // Does not throw when the process goes between opening and reading.
  return text.str();
}

/// Processes with `token` in their environment, zombies aside: gather's two halves and all that they started.
std::vector<std::string> alive_with(const std::string& token) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (content(entry.path() / "environ").contains(token)) found.push_back(pid);  // A zombie has none.
  }
  return found;
}

/// The launcher of the gather that runs as `pid`; 0 while it has none.
pid_t launcher_of(pid_t pid) {
  std::istringstream children(content(fmt::format("/proc/{0}/task/{0}/children", pid)));
  for (pid_t child = 0; children >> child;)
    if (content(fmt::format("/proc/{}/comm", child)) == "gather-launcher\n") return child;
  return 0;
}

/// One run, with two tasks of a shape among short ones.
struct Trial {
  explicit Trial(const std::string& shape) : program(start(shape)) {}

  std::string token = unique_word();
  Gather gather;
  Program program;

 private:
  Program start(const std::string& shape) {
    std::string text = "limits: { processes: 4 }\ndefaults: { grace: 200ms }\ntasks:\n";
    for (const int i : {1, 2})
      text += fmt::format("  s{}: {{ run: [{}, {}] }}\n", i, CHILD_SHAPE_PROGRAM, shape);
    for (int i = 0; i < 20; ++i) text += fmt::format("  t{}: {{ run: [sleep, 0.0{}] }}\n", i, i % 4);
    gather.file("gather.yaml", text);
    gather.variable("CAMPAIGN", token);
    return gather.start({"--report", "json=report.json"});
  }
};

/// Every task has exactly one ending in the report.
void check_report(const Gather& gather) {
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  const std::set<std::string> endings{"passed", "failed", "cancelled"};
  std::set<std::string> ids;
  for (const auto& task : report["tasks"]) {
    CHECK(endings.contains(task["state"].get<std::string>()));
    CHECK(ids.insert(task["id"].get<std::string>()).second);
  }
  CHECK(ids.size() == 22);
}

/// All shapes at the same time, each hit at its own moment.
void hit(Half half, int number, std::mt19937& random) {
  std::vector<std::unique_ptr<Trial>> trials;
  for (const std::string& shape : shapes) trials.push_back(std::make_unique<Trial>(shape));
  for (const auto& trial : trials) {
    const pid_t gather = trial->program.pid();
    pid_t launcher = 0;
    REQUIRE(eventually([&] { return (launcher = launcher_of(gather)) != 0; }));
    poll(nullptr, 0, static_cast<int>(random() % 40));  // The moment is what is random here.
    REQUIRE(kill(half == Half::gather ? gather : launcher, number) == 0);
  }
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Trial& trial = *trials[i];
    const Ending ending = trial.program.end();
    CAPTURE(shapes[i], number, half == Half::gather, ending.err);
    if (half == Half::launcher && number == SIGKILL) {
      CHECK(ending.status == 70);
      CHECK_THAT(ending.err, Catch::Contains("was killed by signal 9"));
    } else {
      CHECK(ending.status == 128 + number);
      CHECK(ending.signalled);
    }
    if (half == Half::gather && number == SIGKILL)
      CHECK(eventually([&] { return alive_with(trial.token).empty(); }));  // The other half sees to it.
    else
      check_report(trial.gather);
    CHECK(alive_with(trial.token) == std::vector<std::string>{});
  }
}

void campaign(int rounds) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < rounds; ++round)
    for (const Half half : {Half::gather, Half::launcher})
      for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGKILL}) hit(half, number, random);
}

/// Stopped while many children start at the same time.
void interrupt_starts(int rounds) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < rounds; ++round) {
    std::string text = "limits: { processes: 64 }\ndefaults: { grace: 200ms }\ntasks:\n";
    for (int i = 0; i < 64; ++i)
      text += fmt::format("  t{}: {{ run: [{}, plain] }}\n", i, CHILD_SHAPE_PROGRAM);
    const std::string token = unique_word();
    Gather gather;
    gather.file("gather.yaml", text).variable("CAMPAIGN", token);
    Program program = gather.start({"-q"});
    REQUIRE(eventually([&] { return launcher_of(program.pid()) != 0; }));
    poll(nullptr, 0, static_cast<int>(random() % 60));  // The moment is what is random here.
    program.signal(SIGINT);
    CHECK(program.end().status == 130);
    CHECK(alive_with(token) == std::vector<std::string>{});
  }
}

}  // namespace

TEST_CASE("B31: an interrupt while 64 programs start lets none escape", "[cli][stop][campaign]") {
  interrupt_starts(15);
}

TEST_CASE("B31: an interrupt while 64 programs start lets none escape, 500 times",
          "[.slow][cli][stop][campaign]") {
  interrupt_starts(500);
}

TEST_CASE("whichever half is hit, by whatever signal, at whatever moment: nothing survives",
          "[cli][stop][campaign]") {
  campaign(3);  // 120 runs.
}

TEST_CASE("whichever half is hit, by whatever signal, at whatever moment: nothing survives, 2,000 times",
          "[.slow][cli][stop][campaign]") {
  campaign(50);
}
