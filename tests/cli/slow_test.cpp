// Campaigns that take longer than a test may: `make slow`.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <random>

using namespace gather::test;

TEST_CASE("a million tasks run", "[.slow][cli]") {
  std::string text = "tasks:\n";
  for (int i = 0; i < 1'000'000; ++i) text += fmt::format("  t{}: {{ sleep: 0 }}\n", i);
  Gather gather;
  gather.file("gather.yaml", text);
  CHECK(gather.run({"-q"}).status == 0);
}

TEST_CASE("stopped at any moment, a run leaves no process, and every task has one ending",
          "[.slow][cli][stop]") {
  const std::vector<int> signals{SIGINT, SIGTERM, SIGHUP};
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::string word = unique_word();
    std::string text = "limits: { processes: 8 }\ndefaults: { grace: 200ms }\ntasks:\n";
    for (int i = 0; i < 40; ++i)
      text +=
          fmt::format("  t{}: {{ run: [sh, -c, \"sh -c 'sleep 0.05; :' {} & sleep 0.0{}; wait\", {}] }}\n", i,
                      word, i % 10, word);
    Gather gather;
    gather.file("gather.yaml", text);
    Program program = gather.start({"-v", "--report", "json=report.json"});
    program.wait_for_err("start");
    const int number = signals[random() % signals.size()];
    poll(nullptr, 0, static_cast<int>(random() % 250));  // The moment is what is random here.
    program.signal(number);
    const Ending ending = program.end();

    CAPTURE(round, number, ending.err);
    CHECK(ending.status == 128 + number);
    CHECK(processes_with(word).empty());
    const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
    CHECK(std::ranges::all_of(report["tasks"], [](const auto& task) {
      return task["state"] == "passed" || task["state"] == "cancelled";
    }));
  }
}
