// HTTP/2 answers that end in other ways than they should. Frames by hand (RFC 9113, section 4).
#include "tests/support/tls_server.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <cstdint>

using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;

namespace {

std::string in_bytes(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>((value >> (8 * i)) & 0xffU);
  return text;
}

std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload) {
  return in_bytes(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + in_bytes(stream, 4) + std::string(payload);
}

const std::string settings = frame(4, 0, 0, "");
/// Status 200, with this Content-Length unless it is empty. By HPACK's static table: 8, and 28 as 15 + 13.
std::string head(std::string_view length = "") {
  std::string block = "\x88";
  if (!length.empty())
    block += std::string("\x0f\x0d") + static_cast<char>(length.size()) + std::string(length);
  return settings + frame(1, 4, 1, block);
}
std::string data(std::string_view body, bool last) { return frame(0, last ? 1 : 0, 1, body); }
std::string reset(std::uint32_t why) { return frame(3, 0, 1, in_bytes(why, 4)); }
std::string go_away(std::uint32_t last_stream) {
  return frame(7, 0, 0, in_bytes(last_stream, 4) + in_bytes(0, 4));
}

constexpr std::uint32_t no_error = 0;
constexpr std::uint32_t cancelled = 8;

/// How a fetch to a file ends whose answer is these frames and then the end of the connection, and what the
/// folder holds, where "f" was "old".
std::string ending(const std::string& frames) {
  static const Authority authority("Test Authority");
  const TlsServer server(authority.issue("127.0.0.1"), [&](const TlsServer::Request&) { return frames; },
                         {.http2 = true});
  const Folder folder;
  folder.write("f", "old");
  Download wanted;
  wanted.url = server.url();
  wanted.output = folder / "f";
  wanted.transport.edit().insecure = true;
  wanted.transport.edit().http = HttpVersion::two;
  async::Loop loop;
  Session session(loop);
  const DownloadResult result = loop.run(download(session, wanted));
  const auto* const fetched = std::get_if<Fetched>(&result);
  return describe(result) + (fetched != nullptr && fetched->unverified_length ? ", unverified" : "") + "; " +
         folder.list() + ": " + folder.read("f");
}

}  // namespace

TEST_CASE("C47: an HTTP/2 body that ends as it should is whole", "[net][http2]") {
  CHECK(ending(head("5") + data("hello", true)) == "200, 5 bytes; f: hello");
  CHECK(ending(head() + data("hel", false) + data("lo", true)) == "200, 5 bytes, unverified; f: hello");
}

TEST_CASE("C47: an HTTP/2 body that is cut, in whatever way, leaves the old file", "[net][http2]") {
  for (const std::string& cut :
       {head() + data("hello", false) + reset(cancelled),
        head("10") + data("hello", false) + reset(cancelled),
        head("10") + data("hello", false) + reset(no_error), head("10") + data("hello", true),
        head() + data("hello", false), head("10") + data("hello", false),
        head("10") + data("hello", false) + go_away(0), head() + data("hello", false) + go_away(0), settings,
        settings + reset(cancelled)}) {
    const std::string result = ending(cut);
    CAPTURE(result);
    CHECK(result.ends_with("; f: old"));
  }
}
