// What `gather fetch` and the tasks of a job file make of several URLs, names from servers, codings and
// pages.
#include "tests/cli/program.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/replies.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>

using namespace gather::test;
using Catch::Contains;
using namespace std::chrono_literals;

namespace {

using Request = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

Reply answer(const Request& request) { return {response(200, "body of " + request.target + "\n")}; }

}  // namespace

TEST_CASE("a list names mirrors; the record tells which one served, and what failed is a list again",
          "[cli][fetch][mirror]") {
  ScriptedServer good(answer);
  ScriptedServer gone([](const Request&) { return Reply{response(404, "gone")}; });
  ScriptedServer lost([](const Request&) { return Reply{response(410, "lost")}; });
  Gather gather;
  const auto line = [](const ScriptedServer& first, const ScriptedServer& second, const std::string& target) {
    return fmt::format(R"({{"urls":["{}","{}"],"output":"dir{}"}})", first.url(target), second.url(target),
                       target);
  };
  gather.file("list", line(gone, good, "/a") + "\n" + line(gone, lost, "/b") + "\n");
  const Ending ending =
      gather.run({"fetch", "-i", "list", "--report", "jsonl=report", "--failed", "left", "--retries", "0"});
  CHECK(ending.status == 1);
  CHECK(gather.folder().read("dir/a") == "body of /a\n");
  CHECK(gather.folder().read("left") == line(gone, lost, "/b") + "\n");
  CHECK_THAT(ending.err,
             Contains("HTTP status 404: gone; other mirrors: " + lost.host() + ": HTTP status 410: lost"));
  std::istringstream lines(gather.folder().read("report"));
  std::string record;
  std::getline(lines, record);
  CHECK(nlohmann::json::parse(record)["url"] == gone.url("/a"));
  CHECK(nlohmann::json::parse(record)["mirror"] == good.url("/a"));
}

TEST_CASE("C60: -J takes names from the server, and only files in the folder come of them",
          "[cli][fetch][named]") {
  const std::map<std::string, std::string> names{
      {"/1", "report.pdf"}, {"/2", "../../up.txt"},        {"/3", "/tmp/absolute"},
      {"/4", ".bashrc"},    {"/5", std::string(300, 'x')}, {"/6", "a%2f..%2fb"},
      {"/7", "CON"}};
  ScriptedServer server([&](const Request& request) {
    const auto at = names.find(request.target);
    return Reply{
        at == names.end()
            ? response(200, "x")
            : response(200, "x", "Content-Disposition: attachment; filename=\"" + at->second + "\"\r\n")};
  });
  Gather gather;
  std::vector<std::string> arguments{"fetch",   "-q",   "-J",       "-d",          "got/here",
                                     "--print", "path", "--report", "jsonl=report"};
  for (const auto& [target, name] : names) arguments.push_back(server.url(target));
  arguments.push_back(server.url("/by%20url?x=/y"));
  const Ending ending = gather.run(arguments);
  CHECK(ending.status == 0);
  CHECK(ending.out == "got/here/report.pdf\ngot/here/up.txt\ngot/here/absolute\ngot/here/_bashrc\ngot/here/" +
                          std::string(245, 'x') + "\ngot/here/a%2f..%2fb\ngot/here/CON\ngot/here/by url\n");
  std::istringstream lines(gather.folder().read("report"));
  std::string record;
  std::getline(lines, record);
  CHECK(nlohmann::json::parse(record)["output"] == "got/here/report.pdf");
  CHECK_FALSE(gather.folder().has("up.txt"));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(gather.folder().path()))
    files += entry.is_regular_file() ? 1U : 0U;
  CHECK(files == names.size() + 2);  // And the report.
}

TEST_CASE("C60, C63: a name from the server that another has, or that is there, fails its task alone",
          "[cli][fetch][named]") {
  ScriptedServer server([](const Request&) {
    return Reply{response(200, "new", "Content-Disposition: attachment; filename=same\r\n")};
  });
  Gather gather;
  const Ending twice = gather.run({"fetch", "-J", "--retries", "0", server.url("/a"), server.url("/b")});
  CHECK(twice.status == 1);
  CHECK_THAT(twice.err,
             Contains("fetched 1 of 2 URLs") && Contains("the server names this same, which is the file of"));
  CHECK(gather.folder().read("same") == "new");
  gather.file("same", "old");
  const Ending there = gather.run({"fetch", "-J", "--retries", "0", server.url("/a")});
  CHECK(there.status == 1);
  CHECK_THAT(there.err, Contains("same is there already with other content"));
  CHECK(gather.folder().read("same") == "old");
  CHECK(gather.run({"fetch", "-q", "-J", "--if-exists", "overwrite", server.url("/a")}).status == 0);
  CHECK(gather.folder().read("same") == "new");
  gather.file("list", server.url("/a") + "\tsame\n" + server.url("/b") + "\n");
  const Ending listed = gather.run({"fetch", "-J", "--if-exists", "overwrite", "-i", "list"});
  CHECK(listed.status == 1);
  CHECK_THAT(listed.err, Contains("the server names this same, which is the file of " + server.url("/a")));
}

TEST_CASE("--compressed takes bodies compressed and writes them without", "[cli][fetch][compressed]") {
  ScriptedServer server([](const Request& request) {
    const bool offered = request.headers.contains("accept-encoding");
    return Reply{
        response(200, offered ? gzip("hello") : "hello", offered ? "Content-Encoding: gzip\r\n" : "")};
  });
  Gather gather;
  CHECK(gather.run({"fetch", "-q", "--compressed", server.url("/page")}).status == 0);
  CHECK(gather.folder().read("page") == "hello");
  CHECK(server.requests().back().headers.at("accept-encoding") == "gzip, deflate");
  CHECK(gather.run({"fetch", "-q", server.url("/plain")}).status == 0);
  CHECK_FALSE(server.requests().back().headers.contains("accept-encoding"));
  const Ending both = gather.run({"fetch", "--compressed", "-H", "Accept-encoding: br", server.url("/page")});
  CHECK(both.status == 2);
  CHECK_THAT(both.err, Contains("there is a header (-H) Accept-Encoding as well"));
}

TEST_CASE("C42: a body that only the end of the connection ends is marked in the report",
          "[cli][fetch][unverified]") {
  ScriptedServer server([](const Request& request) {
    return request.target == "/told" ? Reply{response(200, "hello")} : without_length("hello");
  });
  Gather gather;
  const auto marked = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"fetch", "-q", "--if-exists", "overwrite", "--report", "jsonl=-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ending ending = gather.run(arguments);
    CHECK(ending.status == 0);
    return nlohmann::json::parse(ending.out)["unverified_length"].get<bool>();
  };
  CHECK(marked({server.url("/untold")}));
  CHECK_FALSE(marked({server.url("/told")}));
  CHECK_FALSE(marked({"--sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
                      server.url("/untold")}));
}

TEST_CASE("2: flags of fetch that exclude each other", "[cli][fetch][exit]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("SUMS", "");
  using Arguments = std::vector<std::string>;
  const Arguments arguments =
      GENERATE(Arguments{"-J", "-o", "x"}, Arguments{"-J", "-o", "-"}, Arguments{"-J", "--checksums", "SUMS"},
               Arguments{"--compressed", "-H", "ACCEPT-ENCODING: gzip"});
  Arguments all{"fetch", server.url("/a")};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const Ending ending = gather.run(all);
  INFO(ending.err);
  CHECK(ending.status == 2);
  CHECK_THAT(ending.err, Catch::StartsWith("gather: "));
  CHECK(server.requests().empty());
}

TEST_CASE("tasks of a job file are named after URL or header, below their dir", "[cli][fetch][named]") {
  ScriptedServer server([](const Request& request) {
    return Reply{
        response(200, "x", request.target == "/b" ? "Content-Disposition: attachment; filename=c\r\n" : "")};
  });
  Gather gather;
  gather.file("gather.yaml", fmt::format(R"(
defaults: {{ fetch: {{ dir: got }} }}
tasks:
  a: {{ fetch: "{0}" }}
  b: {{ fetch: {{ url: "{1}", content_disposition: true }} }}
)",
                                         server.url("/a"), server.url("/b")));
  const Ending ending = gather.run({"-q", "--report", "json=report"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(gather.folder().has("got/a"));
  CHECK(gather.folder().has("got/c"));
  const auto report = nlohmann::json::parse(gather.folder().read("report"));
  CHECK(report["tasks"][1]["attempts"][0]["saved_as"] == "got/c");
}

TEST_CASE("a job's pages are one file, and a retry begins with the first", "[cli][fetch][pages]") {
  int failures = 1;
  ScriptedServer server([&](const Request& request) -> Reply {
    if (request.target == "/items") return {response(200, R"({"items": [1, 2], "next": "/items?after=2"})")};
    if (failures-- > 0) return {response(503, "busy")};
    return {response(200, R"({"items": [30000000000000000001], "next": null})")};
  });
  Gather gather;
  gather.file("gather.yaml", fmt::format(R"(
tasks:
  all:
    retry: {{ attempts: 2, delay: 10ms }}
    fetch: {{ url: "{}", output: all.json, paginate: {{ next: /next, items: /items }} }}
)",
                                         server.url("/items")));
  const Ending ending = gather.run({"-q"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(gather.folder().read("all.json") == "[1, 2,30000000000000000001]\n");
  CHECK(server.requests().size() == 4);
}

TEST_CASE("each page counts for its host's rate", "[cli][fetch]") {
  ScriptedServer server([](const Request& request) {
    const int page = request.target.back() - '0';
    return Reply{
        response(200, fmt::format("[{}]", page), fmt::format("Link: </{}>; rel=next\r\n", page + 1))};
  });
  Gather gather;
  gather.file("gather.yaml", fmt::format(R"(
limits: {{ hosts: {{ "*": {{ rate: 2/s }} }} }}
tasks:
  all:
    fetch: {{ url: "{}", output: all.json, paginate: {{ next: link, max: 3 }} }}
)",
                                         server.url("/1")));
  const auto before = std::chrono::steady_clock::now();
  const Ending ending = gather.run({"-q"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(gather.folder().read("all.json") == "[1,2,3]\n");
  CHECK(std::chrono::steady_clock::now() - before >= 1s);
}

TEST_CASE("C56: a body that drips is no stall; the attempt's timeout ends it, and the file stays",
          "[cli][fetch][fault]") {
  ScriptedServer server([](const Request&) {
    return Reply{.bytes = response(200, std::string(1'000, 'x')), .slice = 1, .pause = 10ms};
  });
  Gather gather;
  gather.file("f", "old");
  const Ending ending = gather.run({"fetch", "--retries", "0", "--stall-timeout", "500ms", "--timeout", "1s",
                                    "--if-exists", "overwrite", server.url("/f")});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Contains("timed out after 1 s"));
  CHECK(gather.folder().read("f") == "old");
  CHECK_FALSE(gather.folder().has("f.part"));
}

TEST_CASE("C63: one file under two names, by a folder that is a link, is written by one task",
          "[cli][fetch][fault]") {
  ScriptedServer server(answer);
  Gather gather;
  std::filesystem::create_directory(gather.folder().path() / "real");
  std::filesystem::create_directory_symlink("real", gather.folder().path() / "link");
  gather.file("gather.yaml", fmt::format(R"(
defaults: {{ retry: 0 }}
tasks:
  a: {{ fetch: {{ url: "{0}", output: real/f }} }}
  b: {{ fetch: {{ url: "{1}", output: link/f }} }}
)",
                                         server.url("/a"), server.url("/b")));
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Contains("link/f is in progress already"));
  CHECK(gather.folder().read("real/f") == "body of /a\n");
  CHECK_FALSE(gather.folder().has("real/f.part"));
}

TEST_CASE("C63: a file with two names is replaced under one, and stays under the other",
          "[cli][fetch][fault]") {
  ScriptedServer server(answer);
  Gather gather;
  gather.file("f", "old");
  std::filesystem::create_hard_link(gather.folder().path() / "f", gather.folder().path() / "g");
  CHECK(gather.run({"fetch", "-q", "--if-exists", "overwrite", server.url("/f")}).status == 0);
  CHECK(gather.folder().read("f") == "body of /f\n");
  CHECK(gather.folder().read("g") == "old");
}

TEST_CASE("--limit-total is for all downloads together", "[cli][fetch]") {
  ScriptedServer server([](const Request&) { return Reply{response(200, std::string(100'000, 'x'))}; });
  Gather gather;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> arguments{"fetch", "-q", "--limit-total", "500k"};
  for (int i = 0; i < 5; ++i) arguments.push_back(server.url(fmt::format("/f{}", i)));
  CHECK(gather.run(arguments).status == 0);
  CHECK(std::chrono::steady_clock::now() - begin > 600ms);  // A second, less what may come at once.
  CHECK(gather.folder().read("f4").size() == 100'000);
  CHECK(gather.run({"fetch", "--limit-total", "0", server.url("/f")}).status == 2);
}
