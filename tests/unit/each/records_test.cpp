#include "core/each/records.hpp"

#include "core/base/error.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

using namespace gather::each;
using Pieces = std::vector<std::string>;

namespace {

/// What comes of `text` when it is added in portions of so many bytes.
Pieces split(const std::string& text, const RecordOptions& options, std::size_t portion = 4) {
  RecordSplitter splitter(options);
  Pieces pieces;
  const auto take = [&] {
    while (auto piece = splitter.next()) pieces.push_back(*std::move(piece));
  };
  for (std::size_t at = 0; at < text.size(); at += portion) {
    splitter.add(std::string_view(text).substr(at, portion));
    take();
  }
  splitter.end();
  take();
  return pieces;
}

}  // namespace

TEST_CASE("a block is cut behind its last whole record, and the rest goes to the next", "[each][records]") {
  CHECK(split("aa\nbb\ncc\ndd\n", {.block = 7}) == Pieces{"aa\nbb\n", "cc\ndd\n"});
  CHECK(split("aa\nbb\ncc", {.block = 3}) == Pieces{"aa\n", "bb\n", "cc"});
  CHECK(split("", {}).empty());
}

TEST_CASE("a record longer than the block makes the block grow", "[each][records]") {
  CHECK(split("a long record\nb\nc\n", {.block = 3}) == Pieces{"a long record\nb\n", "c\n"});
  CHECK(split("no end at all", {.block = 3}) == Pieces{"no end at all"});
}

TEST_CASE("with a count each piece has so many records", "[each][records]") {
  CHECK(split("a\nb\nc\n", {.count = 1}) == Pieces{"a\n", "b\n", "c\n"});
  CHECK(split("a\nb\nc", {.count = 2}) == Pieces{"a\nb\n", "c"});
  CHECK(split("a\n\nb\n", {.count = 1}) == Pieces{"a\n", "\nb\n"});
}

TEST_CASE("records are found by what they begin with, end with, or both", "[each][records]") {
  CHECK(split(">a\nx\n>b\n", {.start = ">", .end = "", .count = 1}) == Pieces{">a\nx\n", ">b\n"});
  CHECK(split("a;;b;;c", {.end = ";;", .count = 1}) == Pieces{"a;;", "b;;", "c"});
  CHECK(split("<a><b>x<c>", {.start = "<", .end = ">", .count = 1}) == Pieces{"<a>", "<b>x<c>"});
}

TEST_CASE("without start and end pieces are cut anywhere", "[each][records]") {
  CHECK(split("abcdefgh", {.end = "", .block = 3}) == Pieces{"abc", "def", "gh"});
}

TEST_CASE("a header begins every piece and is no record", "[each][records]") {
  CHECK(split("h\na\nb\n", {.count = 1, .header = true}) == Pieces{"h\na\n", "h\nb\n"});
  CHECK(split("only", {.count = 1, .header = true}) == Pieces{"only"});
  CHECK(split("h\n", {.header = true}).empty());
}

TEST_CASE("how the bytes come in changes nothing, and none is lost", "[each][records]") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    const std::size_t length = random() % 200;
    for (std::size_t i = 0; i < length; ++i) text += "ab;\n"[random() % 4];
    RecordOptions options{.end = random() % 2 == 0 ? "\n" : ";\n", .block = 1 + random() % 20, .count = {}};
    if (random() % 2 == 0) options.count = 1 + random() % 3;
    CAPTURE(text, options.end, options.block, options.count.value_or(0));
    const Pieces at_once = split(text, options, 1000);
    CHECK(split(text, options, 1) == at_once);
    CHECK(split(text, options, 3) == at_once);
    std::string joined;
    for (const std::string& piece : at_once) joined += piece;
    CHECK(joined == text);
    for (std::size_t i = 0; i + 1 < at_once.size(); ++i) CHECK(at_once[i].ends_with(options.end));
  }
}

TEST_CASE("no more is kept than a piece and what was read beyond it", "[each][records]") {
  RecordSplitter splitter({.block = 1000});
  std::size_t longest = 0;
  for (int i = 0; i < 100'000; ++i) {
    splitter.add("a line of text\n");
    while (const auto piece = splitter.next()) longest = std::max(longest, piece->size());
  }
  CHECK(longest <= 1000);
}

TEST_CASE("a single capital letter of a block size is a power of 1024", "[each][records]") {
  CHECK(read_block_size("10") == 10);
  CHECK(read_block_size("1k") == 1000);
  CHECK(read_block_size("1K") == 1024);
  CHECK(read_block_size("2M") == std::size_t{2} * 1024 * 1024);
  CHECK(read_block_size("10MB") == 10'000'000);
  CHECK(read_block_size("4MiB") == std::size_t{4} * 1024 * 1024);
  CHECK_THROWS_WITH(read_block_size("0"), Catch::Contains("no size"));
  CHECK_THROWS_WITH(read_block_size("much"), Catch::Contains("no size"));
}
