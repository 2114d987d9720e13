// `gather fetch` through the built program, against a server that says what it is told to.
#include "tests/cli/program.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>

using namespace gather::test;
using Catch::Contains;

namespace {

using Request = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

// `/status/N/…` answers with N, `/stall/…` with half a body and then nothing; anything else with its own
// path.
Reply answer(const Request& request) {
  if (request.target.starts_with("/status/"))
    return {response(std::stoi(request.target.substr(8)), "it is broken\nsecond line\n"), Then::keep};
  if (request.target.starts_with("/stall/"))
    return {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Then::stall};
  return {response(200, "body of " + request.target + "\n"), Then::keep};
}

constexpr const char* zero_sum = "0000000000000000000000000000000000000000000000000000000000000000";

std::string lines_of_urls(const ScriptedServer& server, int count) {
  std::string list;
  for (int i = 0; i < count; ++i) list += server.url(fmt::format("/f{}", i)) + "\n";
  return list;
}

Ending shell(const Gather& gather, const std::string& script) {
  return Program({{"sh", "-c", script}, gather.folder().path(), {}, ""}).end();
}

}  // namespace

TEST_CASE("fetch: what is there already is kept, fetched anew or refused as --if-exists says",
          "[cli][fetch]") {
  Gather gather;
  gather.file("file", "old");
  ScriptedServer server(
      [](const ScriptedServer::Request&) { return ScriptedServer::Reply{response(200, "new")}; });
  const auto fetch = [&](const std::string& what) {
    return gather.run({"fetch", "-q", "--if-exists", what, server.url("/file")});
  };
  CHECK(fetch("skip").status == 0);
  CHECK(gather.folder().read("file") == "old");
  CHECK(fetch("fail").status == 1);
  CHECK(gather.folder().read("file") == "old");
  CHECK(server.requests().empty());
  CHECK(fetch("overwrite").status == 0);
  CHECK(gather.folder().read("file") == "new");
  const Ending wrong = fetch("keep");
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, Catch::Contains("one of verify, skip, overwrite, fail"));
}

TEST_CASE("fetch: what is larger than --max-size fails, and what was there stays", "[cli][fetch]") {
  Gather gather;
  gather.file("file", "old");
  ScriptedServer server([](const ScriptedServer::Request&) {
    return ScriptedServer::Reply{response(200, std::string(2000, 'x'))};
  });
  const auto fetch = [&](const std::string& size) {
    return gather.run({"fetch", "-q", "--if-exists", "overwrite", "--max-size", size, server.url("/file")})
        .status;
  };
  CHECK(fetch("1k") == 1);
  CHECK(gather.folder().read("file") == "old");
  CHECK(fetch("2k") == 0);
  CHECK(gather.folder().read("file").size() == 2000);
  CHECK(fetch("0") == 2);
  CHECK(fetch("many") == 2);
}

TEST_CASE("fetch: a server that stalls is given up after --stall-timeout", "[cli][fetch]") {
  ScriptedServer server([](const ScriptedServer::Request&) {
    ScriptedServer::Reply reply;
    reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    reply.then = ScriptedServer::Then::stall;
    return reply;
  });
  const Ending ending =
      Gather().run({"fetch", "-q", "--retries", "0", "--stall-timeout", "100ms", server.url("/file")});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Catch::Contains("sent nothing for 100 ms"));
}

TEST_CASE("fetch saves each URL under the last part of its path", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  const Ending ending = gather.run({"fetch", server.url("/a/one.txt?x=1"), server.url("/a%20b.txt#top")});
  CHECK(ending.status == 0);
  CHECK(ending.out == "");
  CHECK_THAT(ending.err, Contains("fetched 2 of 2 URLs"));
  CHECK(ending.err.find_first_of("\r\x1b") == std::string::npos);
  CHECK(gather.folder().read("one.txt") == "body of /a/one.txt?x=1\n");
  CHECK(gather.folder().has("a b.txt"));
}

TEST_CASE("-d names the folder and -o the file; a path may lead out of it", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  CHECK(gather.run({"fetch", "-d", "sub/dir", server.url("/a")}).status == 0);
  CHECK(gather.folder().has("sub/dir/a"));
  CHECK(gather.run({"fetch", "-d", "sub", "-o", "x/b", server.url("/")}).status == 0);
  CHECK(gather.folder().has("sub/x/b"));
  const std::string absolute = (gather.folder().path() / "absolute").string();
  CHECK(gather.run({"fetch", "-d", "sub", "-o", absolute, server.url("/")}).status == 0);
  CHECK(gather.folder().has("absolute"));
}

TEST_CASE("-i reads lists of three fields and of JSON, from a file and from stdin", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("list", server.url("/a") + "\n\n" + server.url("/b") + "\tdeep/b.bin\r\n");
  gather.input(R"({"url": ")" + server.url("/c") + R"(", "output": "c.bin"})" + "\n");
  const Ending ending = gather.run({"fetch", "-i", "list", "-i", "-", "--print", "path", "-d", "to"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "to/a\nto/deep/b.bin\nto/c.bin\n");
  CHECK(gather.folder().read("to/deep/b.bin") == "body of /b\n");
  CHECK(gather.run({"fetch", "-q", "-i", "list", "-d", "new/"}).status == 0);
  CHECK(gather.folder().read("new/deep/b.bin") == "body of /b\n");
}

TEST_CASE("--print keeps the order of the URLs, whoever is first, and leaves out what failed",
          "[cli][fetch]") {
  ScriptedServer server(answer);
  server.hold(8);
  Gather gather;
  gather.file("list", lines_of_urls(server, 20) + server.url("/status/404/x") + "\n" + server.url("/last"));
  const Ending ending = gather.run({"fetch", "-j", "8", "--per-host", "8", "-i", "list", "--print", "path"});
  std::string expected;
  for (int i = 0; i < 20; ++i) expected += fmt::format("f{}\n", i);
  CHECK(ending.out == expected + "last\n");
  CHECK(ending.status == 1);
  CHECK(server.most_at_once() == 8);
}

TEST_CASE("--print sha256 is what sha256sum prints", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  const Ending ending = gather.run({"fetch", "--print", "sha256", server.url("/a"), server.url("/b")});
  CHECK(ending.out == shell(gather, "sha256sum a b").out);
}

TEST_CASE("--print sha256 tells also of a file that was there already", "[cli][fetch]") {
  const std::string if_exists = GENERATE("skip", "verify");
  ScriptedServer server([](const Request& request) -> Reply {
    if (request.headers.contains("if-none-match")) return {response(304, "", "ETag: \"1\"\r\n"), Then::keep};
    return {response(200, "body", "ETag: \"1\"\r\n"), Then::keep};
  });
  Gather gather;
  const std::vector<std::string> again{"fetch",       "--print", "sha256",
                                       "--if-exists", if_exists, server.url("/a")};
  const std::string right = gather.run(again).out;
  CHECK(right == shell(gather, "sha256sum a").out);
  CHECK(gather.run(again).out == right);
  CHECK(server.requests().size() == (if_exists == "skip" ? 1 : 2));
}

TEST_CASE("-o - writes whole bodies in the order of the URLs and no error body", "[cli][fetch]") {
  std::atomic<int> asked = 0;
  const std::string large(3'000'000, 'x');
  ScriptedServer server([&](const Request& request) -> Reply {
    if (request.target == "/late" && asked++ == 0) return {response(503, "busy, busy\n"), Then::keep};
    if (request.target == "/large") return {response(200, large), Then::keep};
    return answer(request);
  });
  Gather gather;
  const Ending ending = gather.run({"fetch", "-o", "-", server.url("/late"), server.url("/large"),
                                    server.url("/status/404/x"), server.url("/end")});
  CHECK(ending.status == 1);
  CHECK((ending.out == "body of /late\n" + large + "body of /end\n"));
  CHECK_THAT(ending.err, Contains("fetched 3 of 4 URLs"));
  CHECK_FALSE(gather.folder().has("late"));
}

TEST_CASE("a failure has its URL, its status, the attempts and what the server said", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  const std::string url = server.url("/status/404/x");
  const Ending ending = gather.run({"fetch", url, server.url("/good")});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Contains("fetch failed: " + url + ": HTTP status 404: it is broken\n"));
  CHECK_THAT(ending.err, Contains("fetched 1 of 2 URLs"));
  CHECK_THAT(ending.err, Contains("1 of 2 tasks failed\n  failed     " + url));
  CHECK(gather.folder().has("good"));
  CHECK_FALSE(gather.folder().has("x"));
}

TEST_CASE("--retries counts the tries after the first", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  CHECK(gather.run({"fetch", "--retries", "1", server.url("/status/503/x")}).status == 1);
  CHECK(server.requests().size() == 2);
}

TEST_CASE("-H sends headers, from the command line and from a file, and shows none", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("secret", "Authorization: Bearer tr0ub4dor\n\n");
  const Ending ending =
      gather.run({"fetch", "-v", "-H", "X-One: 1", "-H", "@secret", server.url("/a"), "--report", "jsonl=r"});
  CHECK(ending.status == 0);
  auto headers = server.requests().front().headers;
  CHECK(headers["x-one"] == "1");
  CHECK(headers["authorization"] == "Bearer tr0ub4dor");
  CHECK(ending.err.find("tr0ub4dor") == std::string::npos);
  CHECK(gather.folder().read("r").find("tr0ub4dor") == std::string::npos);
}

TEST_CASE("what is wrong with URLs is told at once, and nothing is asked", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("list", server.url("/a") + "\n# no comments\n" + server.url("/x/") + "\n" + server.url("/a") +
                          "\n{\"url\": 1}\n" + server.url("/b") + "\t../b\n");
  const Ending syntax = gather.run({"fetch", "-i", "list", "http://u:tr0ub4dor@h/x"});
  CHECK(syntax.status == 2);
  CHECK_THAT(syntax.err,
             Contains("argument 1: ") && Contains("list:2: ") && Contains("list:5: \"url\" is text"));
  CHECK(syntax.err.find("tr0ub4dor") == std::string::npos);
  gather.file("names", server.url("/a") + "\n" + server.url("/x/") + "\n" + server.url("/d/a") + "\n" +
                           server.url("/b") + "\t../b\n" + server.url("/.bashrc") + "\n");
  const Ending names = gather.run({"fetch", "-i", "names"});
  CHECK(names.status == 2);
  CHECK_THAT(names.err, Contains("names:2: this URL ends in no name") && Contains("-o"));
  CHECK_THAT(names.err, Contains("names:3: this is saved as \"a\", and so is names:1"));
  CHECK_THAT(names.err, Contains("names:4: the output \"../b\" is outside"));
  CHECK_THAT(names.err, Contains("names:5: ") && Contains("begins with a dot"));
  CHECK(server.requests().empty());
}

TEST_CASE("2: usage of fetch", "[cli][fetch][exit]") {
  ScriptedServer server(answer);
  const std::string url = server.url("/a");
  const std::string other = server.url("/b");
  Gather gather;
  gather.file("empty", "\n");
  using Arguments = std::vector<std::string>;
  const Arguments arguments = GENERATE_COPY(
      Arguments{}, Arguments{"-i", "empty"}, Arguments{"-i", "no-such-list"},
      Arguments{"-o", "x", url, other}, Arguments{"--sha256", zero_sum, url, other},
      Arguments{"--sha256", "12", url}, Arguments{"-H", "no colon", url}, Arguments{"--print", "size", url},
      Arguments{"--progress", "x", url}, Arguments{"-o", "-", "--print", "path", url},
      Arguments{"-o", "-", "--report", "json=-", url}, Arguments{"--checksums", "no-such-list", url},
      Arguments{"--checksums", "empty", "-o", "-", url}, Arguments{"--report", "xml=x", url},
      Arguments{"-o", "..", url}, Arguments{"-j", "0", url}, Arguments{"--failed", "-", url},
      Arguments{"--no-such-flag", url}, Arguments{"-i", "-", "-i", "-"});
  Arguments all{"fetch"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Ending ending = gather.run(all);
  INFO(ending.err);
  CHECK(ending.status == 2);
  CHECK(ending.out == "");
  CHECK_THAT(ending.err, Catch::StartsWith("gather: "));
  CHECK(server.requests().empty());
}

TEST_CASE("0: no URL at all is fine with --allow-empty", "[cli][fetch][exit]") {
  Gather gather;
  gather.file("empty", "\n");
  const Ending ending = gather.run({"fetch", "--allow-empty", "-i", "empty", "--failed", "left", "--report",
                                    "json=r.json", "--report", "jsonl=r.jsonl", "--print", "path"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "");
  CHECK(gather.folder().read("left") == "");
  CHECK(gather.folder().read("r.jsonl") == "");
}

TEST_CASE("3: a checksum of fetch did not match, and 1 for the others does not hide it",
          "[cli][fetch][exit]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("list",
              server.url("/a") + "\t\tsha256:" + zero_sum + "\n" + server.url("/status/404/b") + "\n");
  const Ending ending = gather.run({"fetch", "--retries", "0", "-i", "list"});
  CHECK(ending.status == 3);
  CHECK_THAT(ending.err, Contains("checksum is"));
  CHECK_FALSE(gather.folder().has("a"));
}

TEST_CASE("124: the deadline of fetch, with the list of what is left", "[cli][fetch][exit]") {
  ScriptedServer server(answer);
  Gather gather;
  const std::string url = server.url("/stall/a");
  const Ending ending = gather.run({"fetch", "--deadline", "300ms", "--failed", "left", url});
  CHECK(ending.status == 124);
  CHECK(gather.folder().read("left") == url + "\n");
}

TEST_CASE("a signal stops fetch, ends it by the same signal, and leaves the list", "[cli][fetch][exit]") {
  const int number = GENERATE(SIGINT, SIGTERM, SIGHUP);
  ScriptedServer server(answer);
  Gather gather;
  const std::string stalled = server.url("/stall/a");
  const std::string done = server.url("/b");
  Program program = gather.start({"fetch", "-v", "--failed", "left", done, stalled});
  program.wait_for_err("fetched: " + done);
  program.wait_for_err("fetching: " + stalled);
  program.signal(number);
  const Ending ending = program.end();
  CHECK(ending.signalled);
  CHECK(ending.status == 128 + number);
  CHECK(gather.folder().read("left") == stalled + "\n");
  CHECK(gather.folder().has("b"));
  CHECK_FALSE(gather.folder().has("a"));
}

TEST_CASE("141: the reader of fetch's stdout went away; what is left is listed", "[cli][fetch][exit]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("list", lines_of_urls(server, 50));
  const std::string fetch =
      fmt::format("{} fetch -q -j 1 -i list --failed left --print path", GATHER_PROGRAM);
  const Ending ending =
      shell(gather, "mkfifo pipe; (exec 3< pipe) & " + fetch + " > pipe; echo $?; wc -l < left");
  CHECK(ending.out.substr(0, 4) == "141\n");
  CHECK(std::stoi(ending.out.substr(4)) >= 1);
}

TEST_CASE("1: the disk behind fetch's stdout, a report or the list is full", "[cli][fetch][exit]") {
  ScriptedServer server(answer);
  Gather gather;
  const std::string fetch = fmt::format("{} fetch -o - {}", GATHER_PROGRAM, server.url("/a"));
  const Ending ending = shell(gather, fetch + " > /dev/full");
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Contains("No space left on device"));
  CHECK(gather.run({"fetch", "--report", "jsonl=/dev/full", server.url("/a")}).status == 1);
  CHECK(gather.run({"fetch", "--failed", "/no/such/folder/x", server.url("/a")}).status == 1);
}

TEST_CASE("--failed can be used with -i again, with outputs and checksums", "[cli][fetch]") {
  std::atomic<bool> broken = true;
  ScriptedServer server([&](const Request& request) -> Reply {
    if (broken && request.target != "/good") return {response(404, "gone"), Then::keep};
    return answer(request);
  });
  Gather gather;
  gather.file("list", server.url("/good") + "\n" + server.url("/a") + "\n" + server.url("/b") + "\tdir/b\n" +
                          server.url("/c") + "\t\tsha256:" + zero_sum + "\n");
  CHECK(gather.run({"fetch", "-i", "list", "--failed", "left"}).status == 1);
  CHECK(gather.folder().read("left") == server.url("/a") + "\n" + server.url("/b") + "\tdir/b\n" +
                                            server.url("/c") + "\t\tsha256:" + zero_sum + "\n");
  broken = false;
  CHECK(gather.run({"fetch", "--retries", "0", "-i", "left", "--failed", "left"}).status == 3);
  CHECK(gather.folder().read("left") == server.url("/c") + "\t\tsha256:" + zero_sum + "\n");
  CHECK(gather.folder().has("dir/b"));
}

TEST_CASE("--report jsonl has a record for each URL in their order", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  const Ending ending =
      gather.run({"fetch", "--report", "jsonl=-", server.url("/a"), server.url("/status/404/b")});
  std::istringstream lines(ending.out);
  std::vector<nlohmann::json> records;
  for (std::string line; std::getline(lines, line);) records.push_back(nlohmann::json::parse(line));
  REQUIRE(records.size() == 2);
  CHECK(records[0]["url"] == server.url("/a"));
  CHECK(records[0]["ok"] == true);
  CHECK(records[0]["output"] == "a");
  CHECK(records[0]["bytes"] == 11);
  CHECK(records[0]["final_url"] == server.url("/a"));
  CHECK(records[0]["http_version"] == "1.1");
  CHECK(records[0]["resumed_from"] == 0);
  for (const char* phase : {"dns_ms", "connect_ms", "tls_ms", "ttfb_ms", "body_ms"})
    CHECK(records[0][phase].get<double>() <= records[0]["total_ms"].get<double>());
  CHECK(records[0]["sha256"].get<std::string>().size() == 64);
  CHECK(records[1]["kind"] == "http");
  CHECK(records[1]["status"] == 404);
  CHECK_THAT(records[1]["message"].get<std::string>(), Contains("it is broken"));
}

TEST_CASE("fetch --fail-fast stops what runs", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  const Ending ending =
      gather.run({"fetch", "--fail-fast", server.url("/stall/a"), server.url("/status/404/b")});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Contains("fetch cancelled: " + server.url("/stall/a")));
}

TEST_CASE("fetch --dry-run says what would go where and asks nothing", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  const Ending ending = gather.run({"fetch", "-n", "-d", "to", server.url("/a")});
  CHECK(ending.out == server.url("/a") + "  ->  to/a\n");
  CHECK(server.requests().empty());
}

TEST_CASE("fetch -q is silent if all is good; --progress lines has a line for each file", "[cli][fetch]") {
  ScriptedServer server(answer);
  Gather gather;
  CHECK(gather.run({"fetch", "-q", server.url("/a")}).err == "");
  const std::string err = gather.run({"fetch", "--progress", "lines", server.url("/b")}).err;
  CHECK_THAT(err, Contains("fetched: " + server.url("/b") + " (11 B in "));
}

TEST_CASE("--checksums holds each file to a list, from a file or a URL", "[cli][fetch]") {
  ScriptedServer server([](const Request& request) -> Reply {
    if (request.target != "/SHA256SUMS") return answer(request);
    return {response(200, fmt::format("{}  a\n", zero_sum)), Then::keep};
  });
  Gather gather;
  gather.file("in/a", "body of /a\n");
  const std::string sums = shell(gather, "cd in && sha256sum a").out;
  gather.file("sums", sums);
  CHECK(gather.run({"fetch", "-d", "to", "--checksums", "sums", server.url("/a")}).status == 0);
  const Ending missing = gather.run({"fetch", "-d", "to", "--checksums", "sums", server.url("/b")});
  CHECK(missing.status == 1);
  CHECK_THAT(missing.err, Contains("no checksum in"));
  const std::string url = server.url("/SHA256SUMS");
  CHECK(gather.run({"fetch", "--retries", "0", "--checksums", url, server.url("/a")}).status == 3);
}

TEST_CASE("a later fetch goes on from the part that one left, unless --no-resume", "[cli][fetch]") {
  const bool resumes = GENERATE(true, false);
  std::atomic<bool> cut = true;
  ScriptedServer server([&](const Request& request) -> Reply {
    const std::string headers = "ETag: \"one\"\r\n";
    if (cut) return {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" + headers + "\r\n01234", Then::close};
    if (request.headers.contains("range"))
      return {response(206, "56789", headers + "Content-Range: bytes 5-9/10\r\n"), Then::keep};
    return {response(200, "0123456789", headers), Then::keep};
  });
  Gather gather;
  CHECK(gather.run({"fetch", "--retries", "0", server.url("/a")}).status == 1);
  CHECK_FALSE(gather.folder().has("a"));
  cut = false;
  std::vector<std::string> again{"fetch", "--print", "sha256", server.url("/a")};
  if (!resumes) again.insert(again.begin() + 1, "--no-resume");
  const Ending ending = gather.run(again);
  CHECK(ending.status == 0);
  CHECK(gather.folder().read("a") == "0123456789");
  CHECK(ending.out == shell(gather, "sha256sum a").out);
  CHECK(server.requests().back().headers.contains("range") == resumes);
}
