#include "samples/web/command.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace gather::async;
using gather::test::run_real;

namespace {

std::string sample(const char* name) { return fmt::format(SAMPLES_FOLDER "/{}", name); }

std::string output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  std::array<char, 4096> piece;
  for (std::size_t n; (n = fread(piece.data(), 1, piece.size(), pipe)) > 0;) output.append(piece.data(), n);
  pclose(pipe);
  return output;
}

// How web_server ends that runs this script.
int status_of(const char* script) {
  return run_real([&](Loop&) -> Co<int> {
    web::Command server({sample("web_server"), "--port", "0", "--", "sh", "-c", script}, 0);
    co_return co_await server.wait();
  });
}

// A file of this process in the folder for temporary files, gone afterwards.
struct TemporaryFile {
  explicit TemporaryFile(const char* name)
      : path(std::filesystem::temp_directory_path() / fmt::format("gather-{}-{}", getpid(), name)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(path); }

  const std::filesystem::path path;
};

}  // namespace

TEST_CASE("three_downloads gets the same pages both ways", "[samples]") {
  const std::string output = output_of(sample("async/three_downloads") + " 20 | sed 's/: .*/:/'");
  CHECK(output ==
        "  got one.html\n  got two.html\n  got three.html\none after the other:\n"
        "  got one.html\n  got two.html\n  got three.html\ntogether:\n");
}

TEST_CASE("limited_gather makes 1,000 calls, 50 at once", "[samples]") {
  CHECK_THAT(output_of(sample("async/limited_gather")),
             Catch::StartsWith("1000 answers, the last is 1998; at most 50 calls at once;"));
}

TEST_CASE("web_server runs its command when it listens, and ends with its status", "[samples][web]") {
  CHECK(status_of("exit 7") == 7);
  CHECK(status_of("kill -9 $$") == 137);
  CHECK(status_of("test \"$WEB_SERVER_PORT\" -gt 0") == 0);
}

TEST_CASE("web_server passes SIGTERM on to its command", "[samples][web]") {
  CHECK(status_of("trap 'exit 9' TERM; kill -TERM $PPID; while :; do sleep 0.01; done") == 9);
}

TEST_CASE("web_server writes its port when it listens, and ends well on SIGTERM", "[samples][web]") {
  run_real([](Loop&) -> Co<> {
    const TemporaryFile file("port");
    web::Command server({sample("web_server"), "--port", "0", "--port-file", file.path.string()}, 0);
    while (!std::filesystem::exists(file.path)) co_await sleep(std::chrono::milliseconds(1));
    std::uint16_t port = 0;
    std::ifstream(file.path) >> port;
    Stream stream = co_await open_connection("127.0.0.1", port);
    co_await stream.send("GET /delay/3600000 HTTP/1.1\r\nHost: test\r\n\r\n");  // Does not hold it up.
    server.terminate();
    CHECK(co_await server.wait() == 0);
    CHECK(co_await stream.read(1000) == "");
  });
}

TEST_CASE("web_server refuses what it does not know", "[samples][web]") {
  const std::string server = sample("web_server");
  CHECK(output_of(server + " --prot 1 2>&1; echo $?") ==
        "web_server: --prot is unknown; see web_server --help\n2\n");
  CHECK(output_of(server + " --port x 2>&1; echo $?") ==
        "web_server: --port x: give a number from 0 to 65535\n2\n");
  CHECK(output_of(server + " --port 0 -- ./no-such-program 2>&1; echo $?") ==
        "web_server: can't run \"./no-such-program\": No such file or directory\n2\n");
}
