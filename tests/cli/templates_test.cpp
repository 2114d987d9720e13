// Templates in a run: results of tasks in the requests, files, arguments and environment of others.
#include "tests/cli/program.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

using namespace gather::test;

namespace {

/// Answers with JSON that tells of the request; with an ETag.
ScriptedServer::Reply telling(const ScriptedServer::Request& request) {
  const auto token = request.headers.find("authorization");
  const std::string body = fmt::format(
      R"({{"target": "{}", "token": "{}", "next": "http://{}/made/7", "list": [1.50, {{"a": "x y"}}]}})",
      request.target, token == request.headers.end() ? "none" : token->second, request.headers.at("host"));
  return {response(200, body, "ETag: \"v1\"\r\nX-A: 1\r\nX-A: 2\r\nContent-Type: application/json\r\n")};
}

std::vector<std::string> targets(const ScriptedServer& server) {
  std::vector<std::string> all;
  for (const auto& request : server.requests()) all.push_back(request.target);
  return all;
}

}  // namespace

TEST_CASE("status, headers, JSON, file and digest of an answer are usable by later tasks",
          "[cli][templates]") {
  const ScriptedServer server(telling);
  Gather gather;
  gather.variable("SERVER", server.url(""));
  gather.file(
      "sub/gather.yaml",
      "vars: { base: \"${{ env.SERVER }}\" }\n"
      "tasks:\n"
      "  first:\n"
      "    fetch: { url: \"${{ vars.base }}/first\", output: first.json }\n"
      "    outputs: { status: status, etag: header#etag, both: header#X-A, next: body#/next, list: "
      "body#/list,\n"
      "               file: path, sum: sha256, all: body }\n"
      "  second:\n"
      "    fetch:\n"
      "      url: \"${{ tasks.first.outputs.next }}\"\n"
      "      headers: { Authorization: \"Bearer ${{ tasks.first.outputs.list[1].a }}\" }\n"
      "    outputs: { token: body#/token }\n"
      "  third:\n"
      "    fetch: { url: \"${{ vars.base }}/q\", query: { x: \"${{ tasks.second.outputs.token }}\" } }\n"
      "    outputs: { target: body#/target }\n"
      "  show:\n"
      "    run: [printf, \"%s\\n\", \"${{ tasks.first.outputs.status }}\", \"${{ tasks.first.outputs.etag "
      "}}\",\n"
      "          \"${{ tasks.first.outputs.both }}\", \"${{ tasks.third.outputs.target }}\"]\n"
      "  sum:\n"
      "    needs: show\n"
      "    shell: 'echo \"$SUM  $FILE\" | sha256sum -c --quiet && printf %s \"$ALL\" | cmp - \"$FILE\" && "
      "echo same'\n"
      "    env: { SUM: \"${{ tasks.first.outputs.sum }}\", FILE: \"${{ tasks.first.outputs.file }}\",\n"
      "           ALL: \"${{ tasks.first.outputs.all }}\" }\n"
      "  list: { needs: sum, run: [cat], stdin: { json: \"${{ tasks.first.outputs.list }}\" } }\n");
  const Ending ending = gather.run({"-q", "sub/gather.yaml"});
  CHECK(ending.err.empty());
  CHECK(ending.status == 0);
  CHECK(ending.out == "200\n\"v1\"\n1, 2\n/q?x=Bearer%20x%20y\nsame\n[1.50,{\"a\":\"x y\"}]");
  CHECK(targets(server) == std::vector<std::string>{"/first", "/made/7", "/q?x=Bearer%20x%20y"});
}

TEST_CASE("a task whose URL comes late stands in line at its host, with the host's limit",
          "[cli][templates]") {
  ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.target == "/urls")
      return ScriptedServer::Reply{response(
          200,
          fmt::format(R"(["http://{0}/a", "http://{0}/b", "http://{0}/c"])", request.headers.at("host")))};
    return ScriptedServer::Reply{response(200, "x")};
  });
  Gather gather;
  std::string job = fmt::format(
      "limits: {{ hosts: {{ 127.0.0.1: {{ max: 1 }} }} }}\n"
      "tasks:\n  urls: {{ fetch: {}, outputs: {{ all: body# }} }}\n",
      server.url("/urls"));
  for (const int n : {0, 1, 2})
    job += fmt::format(
        "  t{0}: {{ fetch: {{ url: \"${{{{ tasks.urls.outputs.all[{0}] }}}}\", output: f{0} }} }}\n", n);
  gather.file("gather.yaml", job);
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 0);
  CHECK(ending.err.empty());
  CHECK(gather.folder().read("f2") == "x");
  CHECK(server.most_in_progress(server.host()) == 1);
  CHECK(server.requests_for(server.host()) == 4);
}

TEST_CASE("an output that can't be had fails its task, and those that name it are skipped",
          "[cli][templates]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  none:  { shell: 'echo \"{\\\"a\\\": 1}\"', outputs: { b: 'stdout#/b' } }\n"
              "  after: { run: [echo, \"${{ tasks.none.outputs.b }}\"] }\n"
              "  text:  { run: [echo, hello], outputs: { b: 'stdout#/b' } }\n"
              "  much:  { shell: 'head -c 16000001 /dev/zero', outputs: { all: stdout } }\n");
  const Ending ending = gather.run({"-q", "--output", "quiet"});
  CHECK(ending.status == 1);
  CHECK(ending.err.find(
            "none: not as expected: it has no output `b` (stdout#/b): there is nothing at \"/b\"\n") !=
        std::string::npos);
  CHECK(ending.err.find("(1 task skipped because of it)") != std::string::npos);
  CHECK(ending.err.find(
            "text: not as expected: it has no output `b` (stdout#/b): its stdout can't be read as JSON: ") !=
        std::string::npos);
  CHECK(ending.err.find("much: its standard output has 16000001 bytes, and outputs are "
                        "taken of 16000000 at most\n") != std::string::npos);
}

TEST_CASE("an attempt that lacks an output is repeated as one with a wrong answer is", "[cli][templates]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  flaky: { shell: 'echo \"[$GATHER_ATTEMPT]\"; [ $GATHER_ATTEMPT != 1 ] || echo no', retry: { "
              "attempts: 3, delay: 0 },\n"
              "           outputs: { n: 'stdout#/0' } }\n"
              "  after: { run: [echo, \"n=${{ tasks.flaky.outputs.n }}\"] }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "[2]\nn=2\n");
}

TEST_CASE("what can't be filled in fails its task, starts nothing and is not repeated", "[cli][templates]") {
  Gather gather;
  gather.file("gather.yaml",
              "defaults: { retry: 3 }\n"
              "tasks:\n"
              "  give: { shell: 'echo \"{\\\"list\\\": [1], \\\"url\\\": \\\"ftp://h/\\\"}\"', outputs: { "
              "all: 'stdout#' } }\n"
              "  run:  { run: [touch, \"${{ tasks.give.outputs.all.list }}\"] }\n"
              "  get:  { fetch: \"${{ tasks.give.outputs.all.url }}\" }\n"
              "  left: { needs: run, shell: 'touch left' }\n");
  const Ending ending = gather.run({"-q", "--output", "quiet"});
  CHECK(ending.status == 1);
  CHECK(ending.err.find("run: `tasks.give.outputs.all.list` is a list, and of a result that can stand below "
                        "`json` alone (gather.yaml:4:24)\n") != std::string::npos);
  CHECK(ending.err.find("get: `ftp://` is not supported (gather.yaml:5:18)\n") != std::string::npos);
  CHECK_FALSE(gather.folder().has("left"));
}

TEST_CASE("a file whose name comes late is not written over another task's", "[cli][templates]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return ScriptedServer::Reply{response(200, request.target)};
  });
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format(
          "tasks:\n"
          "  name:  {{ run: [echo, taken], outputs: {{ n: stdout }} }}\n"
          "  first: {{ fetch: {{ url: {0}, output: taken }} }}\n"
          "  late:  {{ needs: first, fetch: {{ url: {1}, output: \"${{{{ tasks.name.outputs.n }}}}\" }} }}\n"
          "  part:  {{ needs: first, fetch: {{ url: {1}, output: \"${{{{ tasks.name.outputs.n }}}}.part\" }} "
          "}}\n"
          "  free:  {{ fetch: {{ url: {1}, dir: \"${{{{ tasks.name.outputs.n }}}}2\" }} }}\n",
          server.url("/first"), server.url("/late")));
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 1);
  CHECK(ending.err.find("late: its templates name this taken, which is the file of first, too\n") !=
        std::string::npos);
  CHECK(ending.err.find("part: its templates name this taken.part, where the file of first is written until "
                        "it is whole\n") != std::string::npos);
  CHECK(gather.folder().read("taken") == "/first");
  CHECK(gather.folder().read("taken2/late") == "/late");
}

TEST_CASE("a file with a late name is read by stdin, and its outputs hold when it is there already",
          "[cli][templates]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.headers.contains("if-none-match"))
      return ScriptedServer::Reply{response(304, "", "ETag: \"1\"\r\n")};
    return ScriptedServer::Reply{response(200, "{\"a\": 5}", "ETag: \"1\"\r\n")};
  });
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n"
                          "  name: {{ run: [echo, made], outputs: {{ n: stdout }} }}\n"
                          "  get:  {{ fetch: {{ url: {0}, output: \"${{{{ tasks.name.outputs.n }}}}\" }}, "
                          "outputs: {{ a: body#/a, s: status, sum: sha256 }} }}\n"
                          "  cat:  {{ run: [cat], stdin: {{ task: get }} }}\n"
                          "  a:    {{ needs: cat, run: [echo, \" ${{{{ tasks.get.outputs.a }}}}\", "
                          "\"${{{{ tasks.get.outputs.s }}}}\", \"${{{{ tasks.get.outputs.sum }}}}\"] }}\n",
                          server.url("/x")));
  const std::string sum = "a93286b8344bce2c5c91bf73adce3a643b9137ddc9bbcbe091e92e75c953c719";
  CHECK(gather.run({"-q", "a"}).out == "made\n{\"a\": 5} 5 200 " + sum + "\n");
  CHECK(gather.run({"-q", "a"}).out == "made\n{\"a\": 5} 5 304 " + sum + "\n");
}

TEST_CASE("a file whose name comes late takes no other file's place while it is written",
          "[cli][templates]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return ScriptedServer::Reply{response(200, request.target)};
  });
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format(
          "tasks:\n"
          "  name: {{ run: [echo, a], outputs: {{ n: stdout }} }}\n"
          "  part: {{ fetch: {{ url: {0}, output: a.part }} }}\n"
          "  late: {{ needs: part, fetch: {{ url: {0}, output: \"${{{{ tasks.name.outputs.n }}}}\" }} }}\n",
          server.url("/x")));
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 1);
  CHECK(ending.err.find("late: its templates name this a, and until it is whole it is written where the file "
                        "of part is\n") != std::string::npos);
  CHECK(gather.folder().read("a.part") == "/x");
  CHECK_FALSE(gather.folder().has("a"));
}

TEST_CASE("a header that a 304 leaves out fails only who names it, and a query with a result is not told",
          "[cli][templates]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.headers.contains("if-none-match"))
      return ScriptedServer::Reply{response(304, "", "ETag: \"1\"\r\n")};
    return ScriptedServer::Reply{response(200, "x", "ETag: \"1\"\r\nX-Only: first-time\r\n")};
  });
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format(
          "tasks:\n"
          "  get:  {{ fetch: {{ url: {0}, output: f }}, outputs: {{ h: header#X-Only, s: status }} }}\n"
          "  tell: {{ fetch: {{ url: {0}, query: {{ h: \"${{{{ tasks.get.outputs.h }}}}\" }} }}, retry: 0 "
          "}}\n"
          "  code: {{ run: [echo, \"${{{{ tasks.get.outputs.s }}}}\"] }}\n",
          server.url("/x")));
  CHECK(gather.run({"-q", "--report", "json=report"}).status == 0);
  CHECK(server.requests().back().target == "/x?h=first-time");
  CHECK(gather.folder().read("report").find("first-time") == std::string::npos);
  const Ending again = gather.run({"-q"});
  CHECK(again.out == "304\n");
  CHECK(again.status == 1);
  CHECK(again.err.find("tell: `tasks.get.outputs.h` is null: its JSON says so, or the server was not asked "
                       "for it (gather.yaml:3:") != std::string::npos);
}

TEST_CASE("tasks that wait in line hold none of what will be filled in", "[cli][templates]") {
  Gather gather;
  gather.variable("ASAN_OPTIONS", frees_at_once.at("ASAN_OPTIONS"));
  std::string job =
      "tasks:\n  a: { shell: 'head -c 4000000 /dev/zero | tr \"\\\\0\" x', outputs: { all: stdout } }\n";
  for (int i = 0; i < 100; ++i)
    job += fmt::format("  t{}: {{ run: [wc, -c], stdin: \"${{{{ tasks.a.outputs.all }}}}\" }}\n", i);
  job += "  end: { needs: [t0, t99], run: [sleep, 60], priority: 1 }\n";
  gather.file("gather.yaml", job);
  Program run = gather.start({"-q", "-j", "1"});
  run.wait_for_out("4000000\n");
#ifndef UNDER_SANITIZER
  CHECK(run.peak_memory_kb() < 150'000);  // Of all of them it would be 800 MB.
#endif
  run.signal(SIGINT);
  CHECK(run.end().status == 130);
}

TEST_CASE("what is told of mirrors leaves out the query, too", "[cli][templates]") {
  const ScriptedServer server(
      [](const ScriptedServer::Request&) { return ScriptedServer::Reply{response(200, "x")}; });
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n"
                  "  give: {{ run: [echo, t0ken], outputs: {{ t: stdout }} }}\n"
                  "  take: {{ fetch: {{ urls: [\"{0}?t=${{{{ tasks.give.outputs.t }}}}\", {1}] }} }}\n",
                  server.url("/a"), server.url("/b")));
  CHECK(gather.run({"-q", "--report", "json=report"}).status == 0);
  CHECK(server.requests().front().target == "/a?t=t0ken");
  CHECK(gather.folder().read("report").find("\"mirror\"") != std::string::npos);
  CHECK(gather.folder().read("report").find("t0ken") == std::string::npos);
}

TEST_CASE("a long result that is named a hundred times is read once", "[cli][templates]") {
  Gather gather;
  std::string words;
  for (int i = 0; i < 100; ++i) words += ", \"${{ tasks.a.outputs.all[0] }}\"";
  gather.file("gather.yaml",
              "tasks:\n  a: { shell: 'echo \"[7\"; yes \", 1\" | head -n 300000; echo \"]\"', outputs: { "
              "all: 'stdout#' } }\n"
              "  b: { run: [echo" +
                  words + "] }\n");
  Program run = gather.start({"-q", "--output", "errors"});
  CHECK(run.end().status == 0);
}

TEST_CASE("--set gives a var another value, for each command", "[cli][templates]") {
  Gather gather;
  gather.file("gather.yaml",
              "vars: { who: world, n: 1 }\n"
              "tasks: { t: { run: [echo, \"${{ vars.who }}\"], priority: \"${{ vars.n }}\" } }\n");
  CHECK(gather.run({"-q"}).out == "world\n");
  CHECK(gather.run({"-q", "--set", "who=a=b", "--set", "n=1", "--set", "n=2"}).out == "a=b\n");
  CHECK(gather.run({"plan", "--set", "who=moon"}).out.find("echo moon") != std::string::npos);
  const Ending unknown = gather.run({"--set", "whom=x"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err ==
        "gather.yaml:1:7: error: `whom` was given, and `vars` has no such name\n"
        "vars: { who: world, n: 1 }\n"
        "      ^\n"
        "  hint: vars that can be given from outside stand in the file with what they usually are\n");
  CHECK(gather.run({"check", "--set", "n=x"}).status == 2);
  CHECK(gather.run({"check", "--set", "n=5"}).status == 0);
  const Ending nothing = gather.run({"--set", "who"});
  CHECK(nothing.status == 2);
  CHECK(nothing.err == "gather: --set: \"who\" sets nothing; write NAME=VALUE\n");
}

TEST_CASE("compare runs a job whose tasks wait for results, in both passes", "[cli][templates]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks:\n"
      "  a: { shell: 'echo $GATHER_RUN_ID', outputs: { id: stdout } }\n"
      "  b: { shell: '[ \"$A\" = \"$GATHER_RUN_ID\" ]', env: { A: \"${{ tasks.a.outputs.id }}\" } }\n");
  const Ending ending = gather.run({"compare", "--runs", "2"});
  CHECK(ending.status == 0);
  CHECK(ending.out.find("2/2 passed") != std::string::npos);
}

TEST_CASE("a thousand tasks that wait for one result each get theirs, whatever the output's mode",
          "[cli][templates]") {
  const std::string mode = GENERATE("group", "stream");
  Gather gather;
  std::string job =
      "tasks:\n  a: { shell: 'head -c 100000 /dev/zero | tr \"\\\\0\" x; echo; echo end', outputs: { all: "
      "stdout } }\n";
  for (int i = 0; i < 1000; ++i)
    job += fmt::format(
        "  t{}: {{ sleep: 0, needs: r{} }}\n  r{}: {{ shell: '[ ${{#A}} = 100004 ]', env: {{ A: \"${{{{ "
        "tasks.a.outputs.all }}}}\" }} }}\n",
        i, i, i);
  gather.file("gather.yaml", job);
  const Ending ending = gather.run({"-q", "--output", mode, "--progress", "none"});
  CHECK(ending.err.empty());
  CHECK(ending.status == 0);
}
