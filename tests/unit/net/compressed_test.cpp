#include "core/net/content_decoder.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/replies.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::net;
using namespace gather::test;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

/// What becomes of `bytes` in this coding, in pieces of `size`: the text, and how it ended.
std::string decoded(std::string_view coding, std::string_view bytes, std::size_t size = 3) {
  auto decoder = ContentDecoder::for_coding(coding);
  if (!decoder) return "unknown";
  std::string text;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
    if (!decoder->take(bytes.substr(0, size), [&](std::string_view piece) { return text += piece, true; }))
      return text + " damaged";
  return text + (decoder->at_end() ? "" : " cut");
}

// "hello", as zlib's compress() and as a bare deflate stream.
const std::string zlib_hello("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", 13);
const std::string bare_hello("\xcb\x48\xcd\xc9\xc9\x07\x00", 7);

/// How a fetch with `compressed` ends whose answer is this, and what is in the folder after it.
std::string ending(const Reply& reply, std::optional<std::uint64_t> max_size = {}) {
  const Folder folder;
  folder.write("page", "old");
  const ScriptedServer server([&](const Asked&) { return reply; });
  Download wanted;
  wanted.url = server.url();
  wanted.output = folder / "page";
  wanted.compressed = true;
  wanted.max_size = max_size;
  const std::string result = fetch(wanted);
  CHECK(server.requests().at(0).headers.at("accept-encoding") == "gzip, deflate");
  CHECK(folder.list() == "page");
  return result + "; " + folder.read("page").substr(0, 20);
}

std::string coded(std::string_view body, std::string_view coding = "gzip") {
  return response(200, body, fmt::format("Content-Encoding: {}\r\n", coding));
}

}  // namespace

TEST_CASE("gzip and both kinds of deflate are decoded, in pieces of any size", "[net][compressed]") {
  for (const std::size_t size : {1UL, 2UL, 3UL, 1000UL}) {
    CHECK(decoded("gzip", gzip("hello"), size) == "hello");
    CHECK(decoded("X-GZIP", gzip("hello"), size) == "hello");
    CHECK(decoded("deflate", zlib_hello, size) == "hello");
    CHECK(decoded("deflate", bare_hello, size) == "hello");
    CHECK(decoded("gzip", gzip("hello") + gzip(", world"), size) == "hello, world");
  }
  CHECK(decoded("br", "x") == "unknown");
  CHECK(decoded("gzip, gzip", "x") == "unknown");
}

TEST_CASE("C48: a stream that is cut anywhere is not at its end", "[net][compressed]") {
  for (const auto& [coding, whole] :
       {std::pair("gzip", gzip("hello")), std::pair("deflate", zlib_hello), std::pair("deflate", bare_hello)})
    for (std::size_t size = 0; size < whole.size(); ++size)
      CHECK(decoded(coding, std::string_view(whole).substr(0, size)).ends_with(" cut"));
}

TEST_CASE("C48: a stream with any byte changed behind its head is damaged, or cut", "[net][compressed]") {
  const std::string whole = gzip("hello");
  for (std::size_t i = 10; i < whole.size(); ++i) {
    std::string bad = whole;
    bad[i] = static_cast<char>(bad[i] ^ 0x55);
    const std::string result = decoded("gzip", bad);
    CAPTURE(i, result);
    CHECK((result.ends_with(" damaged") || result.ends_with(" cut")));
  }
  CHECK(decoded("gzip", "<html>").ends_with(" damaged"));
  CHECK(decoded("gzip", gzip("hello") + "rubbish").ends_with(" damaged"));
  CHECK(decoded("deflate", zlib_hello + "x").ends_with(" damaged"));
}

TEST_CASE("a compressed answer is written without", "[net][compressed]") {
  CHECK(ending({coded(gzip("hello"))}) == "200, 5 bytes; hello");
  CHECK(ending({coded(zlib_hello, "deflate")}) == "200, 5 bytes; hello");
  CHECK(ending({response(200, "hello")}) == "200, 5 bytes; hello");
  CHECK(ending({coded("hello", "identity")}) == "200, 5 bytes; hello");
  CHECK(ending({coded("")}) == "200, 0 bytes; ");
}

TEST_CASE("C48: half a gzip stream is truncated, and the old file stays", "[net][compressed]") {
  const std::string whole = gzip("hello");
  CHECK(ending({coded(whole.substr(0, whole.size() / 2))}) ==
        "truncated: HOST sent a compressed body that ends too early; old");
  CHECK(ending({coded(whole.substr(0, whole.size() - 1))}) ==
        "truncated: HOST sent a compressed body that ends too early; old");
  CHECK(ending(cut(coded(whole), 4, ScriptedServer::Then::close)).starts_with("truncated: HOST closed"));
}

TEST_CASE("C48: what is no gzip, or in a coding that was not asked for, is refused", "[net][compressed]") {
  CHECK(ending({coded("hello")}) == "protocol: HOST sent a compressed body that is damaged; old");
  CHECK(ending({coded("hello", "br")}) ==
        "protocol: HOST sent the body in a coding that was not asked for: \"br\"; old");
  CHECK(ending({coded(gzip(gzip("hello")), "gzip, gzip")}) ==
        "protocol: HOST sent the body in a coding that was not asked for: \"gzip, gzip\"; old");
}

TEST_CASE("C49: a bomb is stopped by the limit, counted in what it inflates to", "[net][compressed]") {
  const std::string bomb = gzip_bomb(100'000'000);
  CHECK(bomb.size() < 1'000'000);
  CHECK(ending({coded(bomb)}, 1'000'000) ==
        "too-large: the body is longer than `max_size`, 1000000 bytes; old");
  CHECK(ending({coded(gzip("hello"))}, 5) == "200, 5 bytes; hello");
  CHECK(ending({coded(gzip("hello"))}, 4).starts_with("too-large: "));
  Download kept;  // In memory there is a limit anyway.
  const ScriptedServer server([&](const Asked&) { return Reply{coded(bomb)}; });
  kept.url = server.url();
  kept.compressed = true;
  CHECK(fetch(kept).starts_with("too-large: the body is longer than 16 MB"));
}

TEST_CASE("a checksum is that of what is written, and a compressed part is not kept", "[net][compressed]") {
  const Folder folder;
  const ScriptedServer server([&](const Asked&) {
    return cut(response(200, gzip("hello"), "Content-Encoding: gzip\r\nETag: \"1\"\r\n"), 10,
               ScriptedServer::Then::close);
  });
  Download wanted;
  wanted.url = server.url();
  wanted.output = folder / "page";
  wanted.compressed = true;
  fetch(wanted);
  CHECK(folder.list().empty());
  const ScriptedServer good([&](const Asked&) { return Reply{coded(gzip("hello"))}; });
  wanted.url = good.url();
  wanted.checksum = {Algorithm::sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};
  CHECK(fetch(wanted) == "200, 5 bytes");
}
