// Runs everything in samples/, so that each does what its first comment says. Job files are copied, with port
// 8711 rewritten to that of a server of their own.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

using namespace gather::test;

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path samples = fs::path(SOURCE_FOLDER) / "samples";
const fs::path built = fs::path(WEB_SERVER_PROGRAM).parent_path();

std::string contents(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string replaced(const std::string& text, const std::string& pattern, const std::string& by) {
  const std::string result = std::regex_replace(text, std::regex(pattern), by);
  INFO(pattern);
  CHECK(result != text);  // Or the sample has changed, and the test no longer does what it says.
  return result;
}

/// A server, and a folder with one sample that fetches from it.
class Sample {
 public:
  explicit Sample(const std::string& name) : name_(name), text_(contents(samples / name)) {
    const fs::path file = server_folder_.path() / "port";
    server_ = std::make_unique<Program>(Program::Start{
        {WEB_SERVER_PROGRAM, "--port", "0", "--port-file", file.string()}, folder_.path(), {}, ""});
    REQUIRE(eventually([&] { return fs::exists(file); }));
    std::ifstream(file) >> port_;
  }

  Sample& change(const std::string& pattern, const std::string& by) {
    text_ = replaced(text_, pattern, by);
    return *this;
  }

  /// How it ended; afterwards `tasks` has the report.
  Ending run(const std::vector<std::string>& flags = {}) {
    write(name_, text_);
    std::vector<std::string> argv{GATHER_PROGRAM, "run", name_, "--report", "json=report.json"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    const Ending ending = end_of(argv);
    INFO(ending.err);
    REQUIRE(folder_.has("report.json"));
    report_ = json::parse(folder_.read("report.json"));
    tasks.clear();
    for (const json& task : report_["tasks"]) tasks[task["id"]] = task;
    return ending;
  }

  /// Any other program, in the same folder.
  Ending end_of(const std::vector<std::string>& argv) {
    return Program({argv, folder_.path(), {}, ""}).end();
  }

  /// What the server has counted.
  json peak() {
    write("peak.yaml",
          "tasks: { peak: { fetch: { url: 'http://127.0.0.1:8711/peak', output: peak.json } } }\n");
    REQUIRE(end_of({GATHER_PROGRAM, "-q", "peak.yaml"}).status == 0);
    return json::parse(folder_.read("peak.json"));
  }

  void write(const std::string& name, const std::string& text) {
    folder_.write(name, std::regex_replace(text, std::regex(":8711"), ":" + port_));
  }

  /// The ids of the tasks that ended in this state, in alphabetical order.
  std::string in_state(const std::string& state) const {
    std::string ids;
    for (const auto& [id, task] : tasks)
      if (task["state"] == state) ids += (ids.empty() ? "" : " ") + id;
    return ids;
  }

  /// The most attempts that ran at the same time.
  int most_at_once() const {
    constexpr double both_rounded = 0.001;  // Milliseconds, to the next microsecond each.
    std::vector<std::pair<double, int>> changes;
    for (const auto& [id, task] : tasks)
      for (const json& attempt : task["attempts"]) {
        const double start = attempt["start_ms"];
        changes.emplace_back(start, 1);
        changes.emplace_back(start + attempt["duration_ms"].get<double>() - both_rounded, -1);
      }
    std::ranges::sort(changes);  // At the same time ends come first.
    int now = 0;
    int most = 0;
    for (const auto& [time, change] : changes) most = std::max(most, now += change);
    return most;
  }

  const Folder& folder() const { return folder_; }

  std::map<std::string, json> tasks;

 private:
  std::string name_;
  std::string text_;
  std::string port_;
  Folder folder_;
  Folder server_folder_;
  std::unique_ptr<Program> server_;
  json report_;
};

/// Every task that ran did so after what it needs.
void check_order(const Sample& sample) {
  for (const auto& [id, task] : sample.tasks)
    for (const std::string need : task["needs"]) {
      if (task["start_ms"].is_null()) continue;
      INFO(id << " needs " << need);
      CHECK(task["start_ms"].get<double>() >= sample.tasks.at(need)["end_ms"].get<double>());
    }
}

}  // namespace

TEST_CASE("every sample is run by a test, and the manual tells of it", "[cli][samples]") {
  const std::map<std::string, std::string> run_by = {
      {"hello.yaml", "this file, manual_test"},
      {"downloads.yaml", "this file, manual_test"},
      {"demo.yaml", "this file"},
      {"demo.sh", "this file"},
      {"pipeline.yaml", "this file"},
      {"ci_gate.yaml", "this file"},
      {"fetches.yaml", "this file"},
      {"results.yaml", "this file"},
      {"semaphore.yaml", "this file"},
      {"fan_in.yaml", "this file"},
      {"async", "unit/samples, manual_test"},
      {"web_server.cpp", "all of these, unit/samples"},
      {"web", "unit/samples"},
      {"CMakeLists.txt", "every build"},
  };
  const std::string page = contents(fs::path(SOURCE_FOLDER) / "cmd/manual/samples.md");
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(samples)) {
    const std::string name = entry.path().filename().string();
    INFO(name);
    CHECK(run_by.contains(name));
    found.insert(name);
    const bool is_for_users = name != "CMakeLists.txt" && name != "web" && name != "demo.sh";
    const std::string told_as = name == "web_server.cpp" ? "/web_server`"
                                : name == "async"        ? "`samples/async/`"
                                                         : "`" + name + "`";
    if (is_for_users) CHECK_THAT(page, Catch::Contains(told_as));
  }
  CHECK(found.size() == run_by.size());
}

TEST_CASE("every job file in samples is without a problem, and says first what it shows", "[cli][samples]") {
  for (const auto& entry : fs::directory_iterator(samples)) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path().filename());
    CHECK(contents(entry.path()).starts_with("# "));
    const Ending ending = Gather().run({"check", entry.path().string()});
    CHECK_THAT(ending.err, Catch::Contains(": ok, "));
    CHECK_FALSE(ending.err.contains("warning"));
  }
}

TEST_CASE("hello: three things at once, then one that needs them", "[cli][samples]") {
  Sample hello("hello.yaml");
  const Ending ending = hello.run();
  CHECK(ending.status == 0);
  CHECK(ending.out == "The table is laid.\nBreakfast is ready.\n");
  CHECK(hello.most_at_once() >= 2);  // kettle and toaster; laying the table can be quicker than either.
  check_order(hello);
}

TEST_CASE("downloads: one after the other, and together", "[cli][samples]") {
  Sample downloads("downloads.yaml");
  downloads.change("/delay/2000/", "/delay/200/");
  CHECK(downloads.run().status == 0);
  CHECK(downloads.peak()["peak"] == 3);
  CHECK(downloads.run({"--sync"}).status == 0);
  CHECK(downloads.most_at_once() == 1);
  CHECK(downloads.peak()["requests"] == 6);
}

TEST_CASE("demo: as much work in as little time as its first line says", "[cli][samples]") {
  std::smatch said;
  const std::string text = contents(samples / "demo.yaml");
  REQUIRE(std::regex_search(text, said, std::regex(R"(^# .* ([0-9.]+) s of work in ([0-9.]+) s)")));
  std::smatch planned;
  const std::string plan = Gather().run({"plan", (samples / "demo.yaml").string()}).out;
  REQUIRE(std::regex_search(plan, planned,
                            std::regex(R"(sum of task times +([0-9.]+) s\n[^]*\nlower bound +([0-9.]+) s)")));
  CHECK(std::stod(planned[1]) == Approx(std::stod(said[1])).margin(0.5));
  CHECK(std::stod(planned[2]) <= std::stod(said[2]));
  CHECK(std::stod(planned[2]) == Approx(std::stod(said[2])).margin(0.15));
}

TEST_CASE("demo.sh runs the demo and compares it", "[cli][samples]") {
  Sample demo("demo.yaml");
  // A tenth of the time.
  demo.change(R"(sleep 0\.)", "sleep 0.0").change("/delay/([0-9]+)0/", "/delay/$1/").change("500ms", "50ms");
  const Ending ending = demo.run();
  CHECK(ending.status == 0);
  CHECK_THAT(ending.out, Catch::EndsWith("version 2.1 is out\n"));
  CHECK(demo.in_state("passed") ==
        "api engine fixtures fonts manual parser photos program publish screens smoke staging tested units");
  check_order(demo);

  demo.write("demo.sh", contents(samples / "demo.sh"));
  const Ending shown = demo.end_of({"sh", "./demo.sh", GATHER_PROGRAM});
  CHECK(shown.status == 0);
  CHECK_THAT(shown.out,
             Catch::Contains("version 2.1 is out\n") && Catch::Contains("compare release   1 pair"));
  CHECK_THAT(shown.err, Catch::Contains("\n14 ok") || Catch::Contains("14   14 ok"));
}

TEST_CASE("pipeline: what does not need each other runs together", "[cli][samples]") {
  Sample pipeline("pipeline.yaml");
  const Ending ending = pipeline.run();
  CHECK(ending.status == 0);
  CHECK_THAT(ending.out, Catch::StartsWith("configured for release\n"));
  CHECK_THAT(ending.out, Catch::EndsWith("app.tar.gz is ready (package)\n"));
  CHECK(pipeline.in_state("failed") == "");
  CHECK(pipeline.most_at_once() >= 2);
  CHECK(pipeline.most_at_once() <= 4);
  check_order(pipeline);
}

TEST_CASE("pipeline: nothing starts on a broken build", "[cli][samples]") {
  Sample pipeline("pipeline.yaml");
  pipeline.change("echo compiled net", "exit 1").change("sleep 0[.]", "sleep 0.0");
  CHECK(pipeline.run().status == 1);
  CHECK(pipeline.in_state("failed") == "compile-net");
  CHECK(pipeline.in_state("skipped") == "link package test-app test-net tested");
}

TEST_CASE("ci_gate: unsteady checks are tried again, and then it goes", "[cli][samples]") {
  Sample gate("ci_gate.yaml");
  const Ending ending = gate.run();
  CHECK(ending.status == 0);
  CHECK(ending.out == "migrations are in order\ndeployed\n");
  CHECK(gate.in_state("flaky") == "login migrations search");
  CHECK(gate.tasks.at("search")["attempts"].size() == 3);
  CHECK(gate.in_state("passed") == "api checkout deploy forget go gone");
  check_order(gate);
}

TEST_CASE("ci_gate: nothing is deployed when a check fails for good", "[cli][samples]") {
  Sample gate("ci_gate.yaml");
  gate.change("flaky/search/2", "flaky/search/9").change("delay: 50ms", "delay: 1ms");
  const Ending ending = gate.run();
  CHECK(ending.status == 1);
  CHECK_FALSE(ending.out.contains("deployed"));
  CHECK(gate.in_state("skipped") == "deploy go");
}

TEST_CASE("fetches: two at a time, each whole", "[cli][samples]") {
  Sample fetches("fetches.yaml");
  const Ending ending = fetches.run();
  CHECK(ending.status == 0);
  CHECK(fetches.peak()["peak"] <= 2);
  std::map<std::string, std::uintmax_t> sizes;
  for (const auto& file : fs::directory_iterator(fetches.folder().path() / "downloads"))
    sizes[file.path().filename().string()] = file.file_size();
  CHECK(sizes == std::map<std::string, std::uintmax_t>{{"README.txt", 20},
                                                       {"firmware.bin", 1'000'000},
                                                       {"manual.bin", 65'536},
                                                       {"photos.bin", 5'000'000}});
  CHECK_THAT(ending.out, Catch::EndsWith("6065556 total\n"));
}

TEST_CASE("fetches: a file is kept only if its checksum is right", "[cli][samples]") {
  Sample fetches("fetches.yaml");
  fetches.change("sha256: 2c03", "sha256: 2c04").change("retry: 2", "retry: 0");
  CHECK(fetches.run().status == 3);
  CHECK(fetches.in_state("failed") == "firmware");
  CHECK(fetches.folder().has("downloads/photos.bin"));
  CHECK_FALSE(fetches.folder().has("downloads/firmware.bin"));
  CHECK_FALSE(fetches.folder().has("downloads/firmware.bin.part"));
}

TEST_CASE("results: what an answer says is used by what comes after it", "[cli][samples]") {
  Sample results("results.yaml");
  const Ending ending = results.run({"-q"});
  CHECK(ending.err.empty());
  CHECK(ending.status == 0);
  CHECK(ending.out == "page-2.bin is right\npage 2: status 200, application/json\n");
}

TEST_CASE("semaphore: the server counts 50 at once, as the limit says", "[cli][samples]") {
  Sample semaphore("semaphore.yaml");
  semaphore.change("/delay/5 ", "/delay/30 ");  // So that also a slow machine can have 50 under way.
  CHECK(semaphore.run({"-q"}).status == 0);
  const json counted = semaphore.peak();
  CHECK(counted["peak"] == 50);
  CHECK(counted["requests"] == 1000);
}

TEST_CASE("fan_in: 1,000 tasks, and one that needs them all", "[cli][samples]") {
  Sample fan_in("fan_in.yaml");
  const Ending ending = fan_in.run({"-q"});
  CHECK(ending.status == 0);
  CHECK(fan_in.tasks.size() == 1001);
  CHECK(fan_in.most_at_once() == 50);
  CHECK_THAT(ending.out, Catch::Contains("1000 parts"));
  check_order(fan_in);
}
