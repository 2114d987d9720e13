#include "tests/support/tls_server.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

using namespace gather::net;
using namespace gather::test;

namespace {

TlsServer::Script saying(std::string body) {
  return [bytes = response(200, body)](const TlsServer::Request&) { return bytes; };
}

/// An authority and a folder with its certificate.
struct Trusted {
  Trusted() { folder.write("ca.pem", authority.certificate()); }
  Transport transport() const { return {.authorities = (folder / "ca.pem").string()}; }
  ClientCertificate client(const std::string& name) const {
    const Credentials made = authority.issue(name);
    folder.write(name + ".pem", made.certificate);
    folder.write(name + ".key", made.key);
    return {(folder / (name + ".pem")).string(), (folder / (name + ".key")).string()};
  }

  Authority authority{"Test Authority"};
  Folder folder;
};

}  // namespace

TEST_CASE("a server is trusted by the authority that a request names", "[net][tls]") {
  const Trusted trusted;
  const TlsServer server(trusted.authority.issue("127.0.0.1"), saying("hello"));
  CHECK(fetch({.url = server.url(), .transport = trusted.transport()}) == "200, 5 bytes");
}

TEST_CASE("C58: a certificate that is unknown, expired or another's is refused with its reason",
          "[net][tls]") {
  const Trusted trusted;
  const TlsServer good(trusted.authority.issue("127.0.0.1"), saying("hello"));
  const std::string unknown = fetch({.url = good.url()});
  CHECK(unknown.starts_with("tls: the certificate of HOST is not trusted: "));
  CHECK(unknown.find("insecure") == std::string::npos);

  const TlsServer expired(trusted.authority.issue("127.0.0.1", -7200, -60), saying("hello"));
  CHECK(fetch({.url = expired.url(), .transport = trusted.transport()}) ==
        "tls: the certificate of HOST is not trusted: SSL certificate problem: certificate has expired");

  const TlsServer other(trusted.authority.issue("other.test"), saying("hello"));
  CHECK(fetch({.url = other.url(), .transport = trusted.transport()})
            .starts_with("tls: the certificate of HOST is not trusted: SSL: "));

  for (const TlsServer* server : {&good, &expired, &other})
    CHECK(fetch({.url = server->url(), .transport = Transport{.insecure = true}}) == "200, 5 bytes");
}

TEST_CASE("C58: TLS before 1.2 is refused", "[net][tls]") {
  const Trusted trusted;
  const TlsServer old(trusted.authority.issue("127.0.0.1"), saying("hello"), {.old_versions_only = true});
  CHECK(fetch({.url = old.url(), .transport = Transport{.insecure = true}})
            .starts_with("tls: no secure connection to HOST: "));
}

TEST_CASE("a missing file of authorities is named", "[net][tls]") {
  const Trusted trusted;
  const TlsServer server(trusted.authority.issue("127.0.0.1"), saying("hello"));
  const std::string told =
      fetch({.url = server.url(), .transport = Transport{.authorities = "/nowhere/ca.pem"}});
  CHECK(told.find("/nowhere/ca.pem") != std::string::npos);
}

TEST_CASE("a client certificate is shown to a server that asks for one", "[net][tls]") {
  const Trusted trusted;
  const TlsServer server(trusted.authority.issue("127.0.0.1"), saying("hello"),
                         {.client_authority = trusted.authority.certificate()});
  Transport transport = trusted.transport();
  CHECK(fetch({.url = server.url(), .transport = transport}) != "200, 5 bytes");
  transport.certificate = trusted.client("alice");
  CHECK(fetch({.url = server.url(), .transport = transport}) == "200, 5 bytes");
  CHECK(server.requests().at(0).client == "alice");

  transport.certificate->certificate = "/nowhere/alice.pem";
  const std::string told = fetch({.url = server.url(), .transport = transport});
  CHECK(told.find("our certificate for HOST can't be used: ") != std::string::npos);
}

TEST_CASE("C66: requests with different client certificates never share a connection", "[net][tls]") {
  const Trusted trusted;
  const TlsServer server(trusted.authority.issue("127.0.0.1"), saying("hello"),
                         {.client_authority = trusted.authority.certificate()});
  gather::async::Loop loop;
  Session session(loop);
  const auto ask = [&](const ClientCertificate& who) {
    Download wanted{.url = server.url(), .transport = trusted.transport()};
    wanted.transport.edit().certificate = who;
    return describe(loop.run(download(session, wanted)));
  };
  const ClientCertificate alice = trusted.client("alice"), bob = trusted.client("bob");
  std::string told;
  for (const ClientCertificate* who : {&alice, &bob, &alice, &bob}) CHECK(ask(*who) == "200, 5 bytes");
  for (const auto& request : server.requests())
    told += request.client + " " + std::to_string(request.connection) + ";";
  CHECK(told == "alice 1;bob 2;alice 1;bob 2;");
}

TEST_CASE("C47: HTTP/2 is spoken only where a request asks for it", "[net][tls]") {
  const Trusted trusted;
  const TlsServer server(trusted.authority.issue("127.0.0.1"), saying("hello"));
  Transport transport = trusted.transport();
  CHECK(fetch({.url = server.url(), .transport = transport}) == "200, 5 bytes");
  CHECK(server.offered() == "http/1.1");
  transport.http = HttpVersion::two;
  CHECK(fetch({.url = server.url(), .transport = transport}) == "200, 5 bytes");
  CHECK(server.offered() == "h2,http/1.1");
}

TEST_CASE("C53: the step from https to http is refused, trusted redirects or not", "[net][tls]") {
  const Trusted trusted;
  const TlsServer server(trusted.authority.issue("127.0.0.1"), [](const TlsServer::Request&) {
    return response(302, "moved", "Location: http://127.0.0.1:1/\r\n");
  });
  Transport transport = trusted.transport();
  transport.trust_redirects = true;
  CHECK(fetch({.url = server.url(), .transport = transport}) ==
        "redirect: HOST redirects to \"http://HOST/\", which would leave the secure connection");
}
