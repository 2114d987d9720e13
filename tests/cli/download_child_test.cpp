// What a child of a run sees of the downloads that go on beside it, and of gather where there are none.
#include "tests/cli/program.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <string>

using namespace gather::test;

TEST_CASE("a child that is started in the middle of a transfer has none of our descriptors", "[cli][fetch]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    ScriptedServer::Reply reply{response(200, std::string(4000, 'x'))};
    reply.slice = 50;  // About two seconds in all.
    reply.pause = std::chrono::milliseconds(25);
    return reply;
  });
  std::string url = server.url("/big");
  url.replace(url.find("127.0.0.1"), 9, "localhost");  // So that a name is looked up, too.
  Gather gather;
  gather.file("gather.yaml", fmt::format(R"(
tasks:
  big:   {{ fetch: {{ url: "{}", output: big }} }}
  begun: {{ run: [sh, -c, "until [ -s big.part ]; do sleep 0.01; done"] }}
  child: {{ needs: begun, run: [sh, -c, "ls /proc/self/fd > seen; [ -s big.part ]"] }}
)",
                                         url));
  const Ending ending = gather.run({"-j", "3", "--jobserver", "none"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(gather.folder().read("seen") == "0\n1\n2\n3\n");  // 3 is what `ls` reads.
  CHECK(gather.folder().read("big").size() == 4000);
}

TEST_CASE("a job without downloads loads none of their libraries", "[cli][fetch]") {
  Gather gather;
  gather.file("gather.yaml", R"(
tasks:
  look: { shell: "gather=$(sed -n 's/^PPid:.//p' /proc/$PPID/status); cat /proc/$gather/maps" }
)");
  const Ending ending = gather.run({"-q"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK_THAT(ending.out, Catch::Contains("libuv"));
  for (const char* library : {"libcurl", "libcrypto", "libssl"})
    CHECK_THAT(ending.out, !Catch::Contains(library));
}
