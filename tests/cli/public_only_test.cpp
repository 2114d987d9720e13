// `public_only`: a URL that others may choose leads nowhere but to the public internet.
#include "tests/cli/program.hpp"
#include "tests/support/replies.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>

using namespace gather::test;

namespace {

using Request = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

std::string refused(const std::string& host, const std::string& address) {
  return fmt::format(
      "transfer failed (connect): {} is at {}, which is no public address, and only those are asked "
      "(public_only)",
      host, address);
}

}  // namespace

#ifdef MADE_NAMES
TEST_CASE("C54: with public_only the address decides, whatever the name, also after a redirect",
          "[cli][fetch][public]") {
  std::string port;
  const ScriptedServer server([&](const Request& request) {
    if (request.target == "/away") return Reply{redirect("http://b.inside.test:" + port + "/secret")};
    return Reply{response(200, "hello")};
  });
  port = server.host().substr(server.host().find(':') + 1);
  Gather gather;
  gather.variable("LD_PRELOAD", MADE_NAMES);
  gather.file("gather.yaml", fmt::format(R"(
defaults: {{ fetch: {{ public_only: true }} }}
tasks:
  outside: {{ fetch: 'http://a.outside.test:{0}/fine' }}
  both: {{ fetch: 'http://a.both.test:{0}/fine' }}
  inside: {{ fetch: 'http://a.inside.test:{0}/secret' }}
  literal: {{ fetch: 'http://127.0.0.1:{0}/secret' }}
  clouds: {{ fetch: 'http://169.254.169.254:{0}/secret' }}
  away: {{ fetch: 'http://a.outside.test:{0}/away' }}
)",
                                         port));
  const Ending ending = gather.run({"--keep-going", "--report", "json=report.json"});
  CHECK(ending.status == 1);
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  std::map<std::string, std::string> reasons;
  for (const auto& task : report["tasks"])
    reasons[task["id"]] = task["reason"].is_string() ? task["reason"] : "";
  CHECK(reasons["outside"].empty());
  CHECK(reasons["both"].empty());
  CHECK(reasons["inside"] == refused("a.inside.test:" + port, "127.0.0.1"));
  CHECK(reasons["literal"] == refused("127.0.0.1:" + port, "127.0.0.1"));
  CHECK(reasons["clouds"] == refused("169.254.169.254:" + port, "169.254.169.254"));
  CHECK(reasons["away"] == refused("b.inside.test:" + port, "127.0.0.1"));
  for (const Request& request : server.requests()) CHECK(request.target != "/secret");
}
#endif

TEST_CASE("gather fetch --public-only refuses, and tries once", "[cli][fetch][public]") {
  const ScriptedServer server([](const Request&) { return Reply{response(200, "hello")}; });
  Gather gather;
  const Ending ending =
      gather.run({"fetch", "--public-only", "--report", "json=report.json", server.url("/secret")});
  CHECK(ending.status == 1);
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  CHECK(report["tasks"][0]["attempts"].size() == 1);
  CHECK_THAT(ending.err, Catch::Contains(refused(server.host(), "127.0.0.1")));
  CHECK(server.connections() == 0);
}
