#include "core/async/combine/timeout.hpp"
#include "core/async/loop/loop.hpp"
#include "core/run/fetch_executor.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/job/jobs.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <string>

using namespace std::chrono_literals;
using namespace gather;
using namespace gather::test;

namespace {

using Reply = ScriptedServer::Reply;

ScriptedServer::Script saying(std::string bytes) {
  return [bytes = std::move(bytes)](const ScriptedServer::Request&) { return Reply{bytes}; };
}

/// How one attempt at the fetch `keys` (without its URL) ended, in words.
std::string attempt(const ScriptedServer& server, const std::string& keys, const Folder& folder) {
  job::Job job = job::job_of(job::yaml("tasks: {a: {fetch: {url: '" + server.url() + "', " + keys + "}}}"));
  job.directory = folder.path();
  async::Loop loop;
  net::Session session(loop);
  run::FetchExecutor executor(session);
  const std::string run_id = "test";
  const int signal = 15;
  const run::AttemptContext context{job, job::TaskId(0), 1, 1, run_id, signal};
  run::AttemptResult result;
  loop.run(async::timeout(10s, [&]() -> async::Co<> { co_await executor.attempt(context, result); }));
  std::string told = run::describe(result.outcome);
  if (const auto at = told.find(server.host()); at != std::string::npos)
    told.replace(at, server.host().size(), "HOST");
  return told;
}

}  // namespace

TEST_CASE("a secret is read from a variable or a file, and sent", "[run][fetch]") {
  const Folder folder;
  folder.write("token", "t0ken\n");
  setenv("GATHER_TEST_PASSWORD", "s3cret", 1);
  const ScriptedServer server(saying(response(200, "hello")));
  CHECK(attempt(server, "auth: {basic: {user: me, password: {env: GATHER_TEST_PASSWORD}}}", folder) ==
        "passed");
  CHECK(attempt(server, "auth: {bearer: {token: {file: token}}}", folder) == "passed");
  unsetenv("GATHER_TEST_PASSWORD");
  CHECK(server.requests().at(0).headers.at("authorization") == "Basic bWU6czNjcmV0");
  CHECK(server.requests().at(1).headers.at("authorization") == "Bearer t0ken");
}

TEST_CASE("a secret that can't be had is a local failure that shows none", "[run][fetch]") {
  const Folder folder;
  folder.write("empty", "\n");
  folder.write("lines", "t0ken\nX-Other: 1\n");
  const ScriptedServer server(saying(response(200, "hello")));
  CHECK(attempt(server, "auth: {bearer: {token: {env: GATHER_TEST_NOT_SET}}}", folder) ==
        "the secret in the environment variable GATHER_TEST_NOT_SET is not there: it is not set");
  CHECK(attempt(server, "auth: {bearer: {token: {file: empty}}}", folder).ends_with("it is empty"));
  CHECK(attempt(server, "auth: {bearer: {token: {file: .}}}", folder).ends_with("it is no regular file"));
  CHECK(attempt(server, "auth: {bearer: {token: {file: lines}}}", folder) ==
        "the header \"Authorization\" holds a line break");
  CHECK(server.requests().empty());
}

TEST_CASE("files are sent as parts of a form", "[run][fetch]") {
  const Folder folder;
  folder.write("cat.txt", std::string(100'000, 'm'));
  const ScriptedServer server(saying(response(200, "hello")));
  CHECK(attempt(server, "files: {photo: cat.txt, title: {value: Cat, type: text/x-title}}", folder) ==
        "passed");
  const auto request = server.requests().at(0);
  CHECK(request.method == "POST");
  CHECK(request.headers.at("content-type").starts_with("multipart/form-data; boundary="));
  CHECK(request.body.find("name=\"photo\"; filename=\"cat.txt\"") != std::string::npos);
  CHECK(request.body.find(std::string(100'000, 'm') + "\r\n") != std::string::npos);
  CHECK(request.body.find("Content-Type: text/x-title\r\n\r\nCat\r\n") != std::string::npos);
}

TEST_CASE("a missing file to send is a local failure before anything is sent", "[run][fetch]") {
  const Folder folder;
  const ScriptedServer server(saying(response(200, "hello")));
  CHECK(attempt(server, "files: {a: nowhere.txt}", folder).find("can't read ") == 0);
  CHECK(attempt(server, "files: {a: .}", folder).ends_with("is no regular file"));
  CHECK(server.requests().empty());
}

TEST_CASE("files are sent again where a redirect keeps the body", "[run][fetch]") {
  const Folder folder;
  folder.write("cat.txt", "meow");
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return Reply{request.target == "/new" ? response(200, "hello")
                                          : response(307, "moved", "Location: /new\r\n")};
  });
  CHECK(attempt(server, "files: {a: cat.txt}", folder) == "passed");
  CHECK(server.requests().at(1).body.find("meow") != std::string::npos);
}
