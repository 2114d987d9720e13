// Every way in which a server, the disk or a second runner gets a download wrong: what the built program
// makes of it, and that the file that was there stays whole.
#include "tests/cli/program.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/replies.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <csignal>
#include <functional>
#include <utility>

using namespace gather::test;

namespace {

using Reply = ScriptedServer::Reply;
using Request = ScriptedServer::Request;
using Then = ScriptedServer::Then;

std::string job(const std::string& url, const std::string& more = "") {
  return fmt::format("tasks:\n  get: {{ retry: 0, {}fetch: {{ url: \"{}\", output: out }} }}\n", more, url);
}

/// Exit status and what `out` holds, once a server that answers with `reply` alone was fetched from over
/// "old".
std::string after(const Reply& reply) {
  ScriptedServer server([&](const Request&) { return reply; });
  Gather gather;
  gather.file("gather.yaml", job(server.url())).file("out", "old");
  const Ending ending = gather.run({"-q"});
  return fmt::format("{} {}{}", ending.status, gather.folder().read("out"),
                     gather.folder().has("out.part") ? " and a part" : "");
}

}  // namespace

TEST_CASE("a wrong answer fails its task and leaves the old file", "[cli][fetch][fault]") {
  const std::string whole = response(200, "0123456789");
  const std::vector<std::pair<std::string, Reply>> wrong{
      {"closed before the head", {"", Then::close}},
      {"reset before the head", {"", Then::reset}},
      {"closed in the head", {"HTTP/1.1 200 OK\r\nContent-Le", Then::close}},
      {"not HTTP", {"220 mail server ready\r\n", Then::close}},
      {"closed in the body", cut(whole, 4, Then::close)},
      {"reset in the body", cut(whole, 4, Then::reset)},
      {"a longer length than there is", {claiming(20, "0123456789"), Then::close}},
      {"two lengths", {with_two_lengths(10, 5, "0123456789"), Then::close}},
      {"chunks without the last", {chunked_response("0123456789", 4, false), Then::close}},
      {"cut in a chunk", cut(chunked_response("0123456789", 4), 9, Then::close)},
      {"a chunk's size that is no number", {with_bad_chunk("0123456789"), Then::close}},
      {"a part that nobody asked for", {response(206, "0123", "Content-Range: bytes 0-3/10\r\n")}},
      {"a range that nobody asked for is refused", {response(416, "")}},
      {"a redirect to itself", {redirect("/")}},
      {"a redirect to a file", {redirect("file:///etc/hostname")}},
      {"not found", {response(404, "no such page")}},
      {"a server error", {response(500, "oops")}},
      {"busy for longer than one waits", {busy(503, std::chrono::hours(1))}},
      {"busy until a date", {busy_until(429, std::chrono::system_clock::now() + std::chrono::hours(1))}},
  };
  for (const auto& [name, reply] : wrong) {
    CAPTURE(name);
    CHECK(after(reply) == "1 old");
  }
}

TEST_CASE("an answer that is not as expected fails its task, is tried again, and leaves the old file",
          "[cli][fetch][fault]") {
  ScriptedServer server([](const Request&) {
    return Reply{response(200, R"({"state": "busy"})", "Content-Type: application/json\r\n")};
  });
  const auto run = [&](const std::string& on) {
    Gather gather;
    gather.file("out", "old")
        .file("gather.yaml",
              fmt::format(
                  "tasks: {{ get: {{ retry: {{ attempts: 2, delay: 1ms, on: [{}] }}, fetch: {{ url: \"{}\", "
                  "output: out, expect: {{ type: application/json, json: {{ /state: done }} }} }} }} }}\n",
                  on, server.url()));
    const Ending ending = gather.run({});
    CHECK_THAT(ending.err, Catch::Contains(R"(in the JSON, "/state" is "busy", not "done")"));
    return fmt::format("{} {}", ending.status, gather.folder().read("out"));
  };
  CHECK(run("http") == "1 old");
  CHECK(server.requests().size() == 1);
  CHECK(run("expect") == "1 old");
  CHECK(server.requests().size() == 3);
}

TEST_CASE("an odd answer that is whole is taken", "[cli][fetch][fault]") {
  const std::string zipped = gzip("0123456789");
  CHECK(after(without_length("0123456789")) == "0 0123456789");
  CHECK(after({chunked_response("0123456789", 3)}) == "0 0123456789");
  CHECK(after({response(200, "0123456789"), Then::keep, std::chrono::milliseconds(20), 7,
               std::chrono::milliseconds(1)}) == "0 0123456789");
  // Not asked for, so it is the file itself that is compressed.
  CHECK(after({response(200, zipped, "Content-Encoding: gzip\r\n")}) == "0 " + zipped);
}

TEST_CASE("a server that is busy for a moment is asked again", "[cli][fetch][fault]") {
  const auto reply =
      GENERATE(as<std::string>{}, busy(429, std::chrono::seconds(0)), busy(503, std::chrono::seconds(1)),
               busy_until(503, std::chrono::system_clock::now() - std::chrono::seconds(5)));
  ScriptedServer server(
      [&, asked = 0](const Request&) mutable { return Reply{asked++ == 0 ? reply : response(200, "good")}; });
  Gather gather;
  gather.file("gather.yaml", fmt::format("tasks: {{ get: {{ retry: {{ attempts: 2, delay: 1ms }}, fetch: {{ "
                                         "url: \"{}\", output: out }} }} }}\n",
                                         server.url()));
  const Ending ending = gather.run({});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(gather.folder().read("out") == "good");
  CHECK(server.requests().size() == 2);
}

TEST_CASE("a full disk fails the task and leaves the old file", "[cli][fetch][fault]") {
  ScriptedServer server([](const Request&) { return Reply{response(200, std::string(300'000, 'x'))}; });
  Gather gather;
  gather.file("gather.yaml", job(server.url())).file("out", "old");

  SECTION("a limit on the size of files") {
    Program program(
        {{"sh", "-c", "ulimit -f 64; exec \"$0\" -q", GATHER_PROGRAM}, gather.folder().path(), {}, ""});
    const Ending ending = program.end();
    CAPTURE(ending.err);
    CHECK(ending.status == 1);
    CHECK(gather.folder().read("out") == "old");
    CHECK_FALSE(gather.folder().has("out.part"));
  }

  SECTION("a file system that is full") {
    // Mounted where nobody else sees it; 98 where that is not allowed.
    const std::string script = R"(mkdir -p full && mount -t tmpfs -o size=128k gather-test full || exit 98
cp gather.yaml out full && cd full && "$0" -q; status=$?; cat out; ls; exit $status)";
    Program program({{"unshare", "--map-root-user", "--mount", "sh", "-c", script, GATHER_PROGRAM},
                     gather.folder().path(),
                     {},
                     ""});
    const Ending ending = program.end();
    CAPTURE(ending.err);
    if (ending.status != 98 && !ending.err.contains("unshare")) {
      CHECK(ending.status == 1);
      CHECK(ending.out == "oldgather.yaml\nout\n");
    }
  }
}

TEST_CASE("two runners with one output: the second is refused, and no file is mixed", "[cli][fetch][fault]") {
  ScriptedServer server([](const Request& request) {
    if (request.target == "/first") return cut(response(200, "first first"), 5, Then::stall);
    return Reply{response(200, "second")};
  });
  Gather gather;
  gather.file("first.yaml", job(server.url("/first"))).file("second.yaml", job(server.url("/second")));
  gather.file("out", "old");

  Program first = gather.start({"first.yaml"});
  REQUIRE(eventually([&] { return gather.folder().read("out.part") == "first"; }));
  const Ending second = gather.run({"second.yaml"});
  CAPTURE(second.err);
  CHECK(second.status == 1);
  CHECK(second.err.contains("out"));
  CHECK(gather.folder().read("out") == "old");
  first.signal(SIGTERM);
  CHECK(first.end().status == 143);
  CHECK(gather.folder().read("out") == "old");

  CHECK(gather.run({"second.yaml"}).status == 0);
  CHECK(gather.folder().read("out") == "second");
  CHECK_FALSE(gather.folder().has("out.part"));
}

TEST_CASE("a host that stalls does not hold up another", "[cli][fetch][fault]") {
  ScriptedServer stalled([](const Request&) { return cut(response(200, "0123456789"), 5, Then::stall); });
  ScriptedServer healthy([](const Request&) { return Reply{response(200, "healthy")}; });
  std::string text = "tasks:\n";
  for (int i = 0; i < 6; ++i)
    text += fmt::format("  s{0}: {{ fetch: {{ url: \"{1}\", output: stalled{0} }} }}\n", i, stalled.url());
  for (int i = 0; i < 100; ++i)
    text += fmt::format("  h{0}: {{ fetch: {{ url: \"{1}\", output: out/{0} }} }}\n", i, healthy.url());
  Gather gather;
  gather.file("gather.yaml", text);
  Program program = gather.start({"-q"});
  CHECK(eventually([&] {
    int done = 0;
    for (int i = 0; i < 100; ++i) done += gather.folder().has(fmt::format("out/{}", i)) ? 1 : 0;
    return done == 100;
  }));
  CHECK(stalled.open_connections() == 6);
  program.signal(SIGTERM);
  CHECK(program.end().status == 143);
}

TEST_CASE("a process that is started in the middle of transfers has none of their descriptors",
          "[cli][fetch][fault]") {
  ScriptedServer server([](const Request& request) {
    if (request.target == "/slow") return cut(response(200, "0123456789"), 5, Then::stall);
    return Reply{response(200, "quick")};
  });
  server.hold(2);
  Gather gather;
  gather.file("gather.yaml", fmt::format("tasks:\n  slow: {{ fetch: {{ url: \"{}\", output: slow }} }}\n"
                                         "  quick: {{ fetch: {{ url: \"{}\", output: quick }} }}\n"
                                         "  list: {{ needs: quick, run: [ls, /proc/self/fd] }}\n",
                                         server.url("/slow"), server.url("/quick")));
  Program program = gather.start({"--jobserver", "none"});
  program.wait_for_out("3\n");
  CHECK(server.open_connections() >= 1);
  program.signal(SIGTERM);
  CHECK(program.end().out == "0\n1\n2\n3\n");  // 3 is what `ls` itself has opened.
}
