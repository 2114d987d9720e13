// Limits per host through the built program: the server counts. Names below .localhost lead to this machine
// without a lookup, so that one server stands for many hosts.
#include "tests/cli/program.hpp"
#include "tests/support/replies.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

using namespace gather::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

using nlohmann::json;
using Request = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

/// "h1.localhost:4711", as a server sees it.
std::string host(const ScriptedServer& server, int number) {
  return fmt::format("h{}.localhost{}", number, server.host().substr(server.host().find(':')));
}

/// A list of `each` files from each of so many hosts, host by host.
std::string list(const ScriptedServer& server, int hosts, int each) {
  std::string text;
  for (int h = 1; h <= hosts; ++h)
    for (int i = 0; i < each; ++i) text += fmt::format("http://{}/f{}-{}\n", host(server, h), h, i);
  return text;
}

/// A job of so many fetches of /N from the server.
std::string job(const ScriptedServer& server, int tasks) {
  std::string text = "tasks:\n";
  for (int i = 0; i < tasks; ++i)
    text += fmt::format("  t{0}: {{ fetch: \"{1}\" }}\n", i, server.url(fmt::format("/{}", i)));
  return text;
}

struct Start {
  int task;
  int number;
  double ms;
  double end_ms;
};

/// Every attempt of report.json, in the order of their starts.
std::vector<Start> starts(const Gather& gather) {
  std::vector<Start> result;
  const json report = json::parse(gather.folder().read("report.json"));
  int task = 0;
  for (const json& one : report["tasks"]) {
    for (const json& attempt : one["attempts"]) {
      const double start = attempt["start_ms"];
      result.push_back({task, attempt["number"], start, start + attempt["duration_ms"].get<double>()});
    }
    ++task;
  }
  std::ranges::sort(result, {}, &Start::ms);
  return result;
}

/// Fetches a list into nothing but its exit status, and looks at the memory meanwhile.
std::size_t peak_of_fetching(Gather& gather) {
  for (const auto& [name, value] : frees_at_once) gather.variable(name, value);
  Program program =
      gather.start({"fetch", "-q", "-i", "list", "-o", "-", "--retries", "0", "--report", "jsonl=report"});
  std::size_t peak = 0;
  while (const std::size_t now = program.peak_memory_kb()) {
    peak = now;
    look_again_soon();
  }
  const Ending ending = program.end();
  INFO(ending.err);
  CHECK(ending.status == 0);
  return peak;
}

/// Fetches so many files of each of so many hosts, in one list, and has the server count.
void check_six_at_once_of_each(int hosts, int files) {
  ScriptedServer server([](const Request&) { return Reply{response(200, "x")}; });
  Gather gather;
  gather.file("list", list(server, hosts, files));
  const std::size_t peak = peak_of_fetching(gather);
  CAPTURE(peak);
  CHECK(peak > 1'000);
  CHECK(peak < 150'000);
  for (int h = 1; h <= hosts; ++h) {
    CHECK(server.requests_for(host(server, h)) == static_cast<std::size_t>(files));
    CHECK(server.most_in_progress(host(server, h)) <= 6);
  }
}

}  // namespace

TEST_CASE("no host has more requests at once than its most specific limit, and each has as many",
          "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request&) { return Reply{.bytes = response(200, ""), .latency = 50ms}; });
  std::string text =
      "limits: { jobs: 99, fetches: 99, hosts: { \"*.localhost\": { max: 9 }, h1.localhost: { max: 2 } } }\n"
      "tasks:\n";
  for (int h = 1; h <= 3; ++h)
    for (int i = 0; i < 18; ++i)
      text += fmt::format("  t{0}-{1}: {{ fetch: \"http://{2}/\" }}\n", h, i, host(server, h));
  Gather gather;
  gather.file("gather.yaml", text);
  const Ending ending = gather.run({"-q", "--host", "h3.localhost=3"});
  INFO(ending.err);
  CHECK(ending.status == 0);
  CHECK(server.most_in_progress(host(server, 1)) == 2);
  CHECK(server.most_in_progress(host(server, 2)) == 9);
  CHECK(server.most_in_progress(host(server, 3)) == 3);
}

TEST_CASE("a host that nobody limits has six places", "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request&) { return Reply{.bytes = response(200, ""), .latency = 50ms}; });
  Gather gather;
  gather.file("list", list(server, 2, 18));
  CHECK(gather.run({"fetch", "-q", "-i", "list"}).status == 0);
  CHECK(server.most_in_progress(host(server, 1)) == 6);
  CHECK(server.most_in_progress(host(server, 2)) == 6);
}

TEST_CASE("C67: of a thousand downloads at --per-host 8 the server never sees more than eight",
          "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request&) { return Reply{response(200, "x")}; });
  Gather gather;
  std::string urls;
  for (int i = 0; i < 1'000; ++i) urls += server.url(fmt::format("/f{}", i)) + "\n";
  gather.file("list", urls);
  CHECK(gather.run({"fetch", "-q", "--per-host", "8", "-i", "list", "-d", "to"}).status == 0);
  CHECK(server.requests_for(server.host()) == 1'000);
  CHECK(server.most_in_progress(server.host()) <= 8);
  CHECK(server.most_open_connections() <= 8);
}

TEST_CASE("--rate spaces the requests to a host, and the report says that tasks waited for that",
          "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request&) { return Reply{response(200, "x")}; });
  Gather gather;
  gather.file("list", list(server, 1, 6));
  CHECK(gather.run({"fetch", "-q", "--rate", "20/s", "-i", "list", "--report", "json=report.json"}).status ==
        0);
  const std::vector<Start> all = starts(gather);
  REQUIRE(all.size() == 6);
  CHECK(all.back().ms - all.front().ms >= 249);  // Five intervals; a task begins a moment after it is let in.
  const json report = json::parse(gather.folder().read("report.json"));
  CHECK(report["tasks"][5]["waits"]["rate_ms"] >= 240);
  CHECK(report["limits"]["hosts"]["*"]["rate"] == "20/s");
}

TEST_CASE("after Retry-After no task asks that host before its time, in seconds or as a date",
          "[cli][fetch][hosts]") {
  const bool as_date = GENERATE(false, true);
  const int status = GENERATE(429, 503);
  std::chrono::sys_seconds date{};
  ScriptedServer server([&](const Request& request) {
    if (request.target != "/0" || date != std::chrono::sys_seconds{}) return Reply{response(200, "fine")};
    date = std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now() + 1s);
    return Reply{as_date ? busy_until(status, date) : busy(status, 1s)};
  });
  Gather gather;
  gather.file("gather.yaml", job(server, 8));
  const Ending ending = gather.run({"-q", "--host", "*=1", "--report", "json=report.json"});
  INFO(ending.err);
  CHECK(ending.status == 0);
  const std::vector<Start> all = starts(gather);
  REQUIRE(all.size() == 9);
  CHECK(all[0].task == 0);
  CHECK(all[1].ms - all[0].end_ms >= (as_date ? 990 : 1000));
  const json report = json::parse(gather.folder().read("report.json"));
  CHECK(report["tasks"][7]["waits"]["host_ms"] >= 900);
}

TEST_CASE("who goes on to another mirror counts there, for the places, the rate and the rest",
          "[cli][fetch][hosts][mirror]") {
  using Clock = std::chrono::steady_clock;
  struct Case {
    std::string limit;
    std::size_t most;         // At once at the second host.
    Clock::duration apart;    // Two requests there, at least, after the first.
    bool wants_rest = false;  // It answers the first of them with Retry-After.
  };
  const auto one = GENERATE(Case{"2", 2, 0s}, Case{"9@20/s", 9, 40ms}, Case{"1", 1, 0s, true});
  std::vector<Clock::time_point> asked;
  ScriptedServer server([&](const Request& request) {
    if (request.headers.at("host").starts_with("h1."))
      return Reply{.bytes = response(404, "gone"), .latency = 5ms};
    asked.push_back(Clock::now());
    if (one.wants_rest && asked.size() == 1) return Reply{busy(503, 1s)};
    return Reply{.bytes = response(200, "fine"), .latency = one.wants_rest ? 0ms : 50ms};
  });
  std::string text = "limits: { jobs: 99, fetches: 99 }\ntasks:\n";
  for (int i = 0; i < 8; ++i)
    text +=
        fmt::format("  m{0}: {{ retry: 3, fetch: {{ urls: [\"http://{1}/{0}\", \"http://{2}/{0}\"] }} }}\n",
                    i, host(server, 1), host(server, 2)) +
        fmt::format("  t{0}: {{ fetch: \"http://{1}/t{0}\" }}\n", i, host(server, 2));
  Gather gather;
  gather.file("gather.yaml", text);
  const Ending ending = gather.run({"-q", "--host", "h1.localhost=9", "--host", "h2.localhost=" + one.limit});
  INFO(ending.err);
  CHECK(ending.status == 0);
  CHECK(server.most_in_progress(host(server, 1)) <= 9);
  CHECK(server.most_in_progress(host(server, 2)) <= one.most);
  REQUIRE(asked.size() == (one.wants_rest ? 17 : 16));
  // A request may be late, and the next one not: what holds for each pair holds for all together.
  CHECK(asked.back() - asked.front() >= one.apart * 15);
  if (one.wants_rest) CHECK(asked[1] - asked[0] >= 990ms);
}

TEST_CASE("a host that asks for more than two minutes is asked once, and all its tasks say why",
          "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request&) { return Reply{busy(503, 1'000'000'000s)}; });
  Gather gather;
  gather.file("list", list(server, 1, 20));
  const Ending ending = gather.run({"fetch", "--per-host", "1", "-i", "list"});
  CHECK(ending.status == 1);
  CHECK(server.requests().size() == 1);
  CHECK_THAT(ending.err, Contains("and gather waits for 2m00s at most"));
  CHECK_THAT(ending.err, Contains("host-closed"));
}

TEST_CASE("a host that stalls keeps no other waiting", "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request& request) {
    if (request.headers.at("host").starts_with("h1."))
      return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", ScriptedServer::Then::stall};
    return Reply{response(200, "x")};
  });
  Gather gather;
  gather.file("list", list(server, 2, 30));  // Those of the host that stalls come first.
  const Ending ending = gather.run({"fetch", "-q", "-j", "8", "-i", "list", "--stall-timeout", "500ms",
                                    "--retries", "0", "--report", "jsonl=report"});
  CHECK(ending.status == 1);
  std::ifstream report(gather.folder().path() / "report");
  int fine = 0;
  double last = 0;
  for (std::string line; std::getline(report, line);) {
    const json record = json::parse(line);
    if (!record["ok"].get<bool>()) continue;
    ++fine;
    last = std::max(last, record["queue_ms"].get<double>());
  }
  CHECK(fine == 30);
  CHECK(last < 500);  // All of them had begun before the first of the others gave up.
}

#ifdef MADE_NAMES
TEST_CASE("a name server that does not answer delays no transfer in flight, and not the end",
          "[cli][fetch][hosts]") {
  ScriptedServer server([](const Request&) {
    return Reply{.bytes = response(200, std::string(50, 'x')), .slice = 10, .pause = 20ms};
  });
  Gather gather;
  gather.variable("LD_PRELOAD", MADE_NAMES);
  std::string urls;
  for (int i = 0; i < 10; ++i)
    urls += fmt::format("http://h{}.slow.test/s{}\n{}\n", i, i, server.url(fmt::format("/f{}", i)));
  gather.file("list", urls);
  const auto begin = std::chrono::steady_clock::now();
  const Ending ending = gather.run({"fetch", "-q", "-i", "list", "--connect-timeout", "1s", "--retries", "0",
                                    "--report", "json=report.json"});
  CHECK(std::chrono::steady_clock::now() - begin < 15s);  // One lookup takes 20 s.
  CHECK(ending.status == 1);
  const json report = json::parse(gather.folder().read("report.json"));
  CHECK(report["counts"]["passed"] == 10);
  CHECK(report["counts"]["failed"] == 10);
  // C56: its own error.
  CHECK(report["tasks"][0]["reason"] ==
        "transfer failed (timeout): no connection to h0.slow.test within 1.00 s");
  CHECK(report["loop_lag"]["max_ms"] < 900);  // A loop that waited for a lookup would stand for longer.
}
#endif

TEST_CASE("two thousand files of fifty hosts in one list: six at once of each", "[cli][fetch][hosts]") {
  check_six_at_once_of_each(50, 40);
}

TEST_CASE("fifty thousand files of five hundred hosts in one list stay below 150 MB", "[.slow][cli]") {
  check_six_at_once_of_each(500, 100);
}

TEST_CASE("a wrong limit of a host is refused with its place, and nothing is started", "[cli][hosts]") {
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  const auto wrong = GENERATE(
      Case{{"--host", "a.test"}, "--host: \"a.test\" limits nothing; write PATTERN=N or PATTERN=N@RATE"},
      Case{{"--host", "a.test=0"}, "--host: \"0\" is no number of requests at once, from 1 to 1000000"},
      Case{{"--host", "a.*=1"}, "has a `*` in it"}, Case{{"--host", "a.test=1@5"}, "is no rate"},
      Case{{"fetch", "--per-host", "x", "http://a.test/f"}, "--per-host: \"x\" is no number of requests"},
      Case{{"fetch", "--rate", "0/s", "http://a.test/f"}, "it would never start anything"});
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [touch, started] } }");
  const Ending ending = gather.run(wrong.arguments);
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Contains(wrong.says));
  CHECK_FALSE(gather.folder().has("started"));
}
