// Downloads by the built program from a real server.
#include "tests/cli/program.hpp"
#include "tests/support/nginx.hpp"
#include "tests/support/splitter.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>

using namespace gather::test;

namespace {

std::string content(int number) { return fmt::format("file {}\n{}", number, std::string(1000, 'x')); }

/// A job that fetches 50 files, which `nginx` gets.
std::string fifty_files(const Nginx& nginx) {
  std::string job = "tasks:\n";
  for (int i = 0; i < 50; ++i) {
    std::ofstream(nginx.root() / fmt::format("f{}", i)) << content(i);
    job += fmt::format("  t{0}: {{ fetch: {{ url: \"{1}\", output: out/f{0} }} }}\n", i,
                       nginx.url(fmt::format("/f{}", i)));
  }
  return job;
}

int right_files(const Gather& gather) {
  int count = 0;
  for (int i = 0; i < 50; ++i) count += gather.folder().read(fmt::format("out/f{}", i)) == content(i) ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("fifty files come from nginx", "[cli][fetch][nginx]") {
  const Nginx nginx;
  Gather gather;
  gather.file("gather.yaml", fifty_files(nginx));
  const Ending ending = gather.run({});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(right_files(gather) == 50);
}

TEST_CASE("fifty files come from nginx over TLS, with an authority from SSL_CERT_FILE",
          "[cli][fetch][nginx][tls]") {
  const Nginx nginx(Nginx::Protocol::https);
  Gather gather;
  gather.file("gather.yaml", fifty_files(nginx))
      .variable("SSL_CERT_FILE", nginx.authority().string())
      .variable("CURL_CA_BUNDLE", "");
  const Ending ending = gather.run({});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(right_files(gather) == 50);
}

TEST_CASE("fifty files come over HTTP/2, four at a time", "[cli][fetch][nginx][tls]") {
  const Nginx nginx(Nginx::Protocol::https_http2);
  Gather gather;
  gather.file("gather.yaml", "defaults: { fetch: { http: 2 } }\n" + fifty_files(nginx))
      .variable("SSL_CERT_FILE", nginx.authority().string())
      .variable("CURL_CA_BUNDLE", "");
  const Ending ending = gather.run({"-j", "4"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(right_files(gather) == 50);
}

TEST_CASE("what asks for HTTP/1.1 gets that, whatever others ask for", "[cli][fetch][nginx][tls]") {
  const Nginx nginx(Nginx::Protocol::https_http2);
  Gather gather;
  fifty_files(nginx);
  std::string job = "tasks:\n";
  for (int i = 0; i < 50; ++i)
    job += fmt::format(
        "  t{0}: {{ fetch: {{ url: \"{1}\", output: out/f{0}, http: {2}, if_exists: overwrite }} }}\n", i,
        nginx.url(i % 10 == 7 ? "/missing" : fmt::format("/f{}", i)), i % 3 == 0 ? "1.1" : "2");
  gather.file("gather.yaml", job)
      .variable("SSL_CERT_FILE", nginx.authority().string())
      .variable("CURL_CA_BUNDLE", "");
  const Ending ending = gather.run({"-j", "2", "-k"});
  CAPTURE(ending.err);
  CHECK(ending.status == 1);
  CHECK(right_files(gather) == 45);
  const std::string log = nginx.access_log();
  CAPTURE(log);
  CHECK(log.contains("HTTP/2.0 200"));
  for (int i = 0; i < 50; i += 3)
    if (i % 10 != 7) CHECK(log.contains(fmt::format("GET /f{} HTTP/1.1 200", i)));
}

TEST_CASE("a host of which some servers know HTTP/2 and some do not gives each file its own content",
          "[cli][fetch][nginx][tls]") {
  const Nginx with(Nginx::Protocol::https_http2);
  const Nginx without(Nginx::Protocol::https);
  const Splitter host({without.port(), with.port()});
  Gather gather;
  constexpr int count = 200;
  std::string list;
  for (int i = 0; i < count; ++i) {
    for (const Nginx* const nginx : {&with, &without})
      std::ofstream(nginx->root() / fmt::format("f{}", i)) << content(i);
    list += fmt::format("https://127.0.0.1:{}/f{}\n", host.port(), i);
  }
  std::string authorities;
  for (const Nginx* const nginx : {&with, &without}) {
    std::ifstream file(nginx->authority());
    authorities.append(std::istreambuf_iterator<char>(file), {});
  }
  gather.file("list", list).file("authorities.pem", authorities);
  gather.variable("SSL_CERT_FILE", (gather.folder().path() / "authorities.pem").string())
      .variable("CURL_CA_BUNDLE", "");
  // libcurl alone gives a connection of HTTP/1.1 to several requests, and a third of the files are others.
  const Ending ending =
      gather.run({"fetch", "-i", "list", "-d", "out", "--http", "2", "-j", "8", "--per-host", "8"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  int right = 0;
  for (int i = 0; i < count; ++i)
    right += gather.folder().read(fmt::format("out/f{}", i)) == content(i) ? 1 : 0;
  CHECK(right == count);
  CHECK(with.access_log().contains("HTTP/2.0 200"));
  CHECK(without.access_log().contains("HTTP/1.1 200"));
}

TEST_CASE("a server whose authority is unknown gets no request", "[cli][fetch][nginx][tls]") {
  const Nginx nginx(Nginx::Protocol::https_http2);
  Gather gather;
  gather.file("gather.yaml", fifty_files(nginx));
  const Ending ending = gather.run({});
  CAPTURE(ending.err);
  CHECK(ending.status == 1);
  CHECK(right_files(gather) == 0);
  CHECK_FALSE(nginx.access_log().contains("GET"));  // A handshake that fails is logged as well.
}
