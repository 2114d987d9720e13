#include "core/job/document/problem.hpp"

#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;

namespace {

/// The line and the caret of a problem, without the message.
std::string shown(std::string_view text, Position position, std::uint32_t length = 1) {
  const std::string all = render(yaml(text), {.position = position, .length = length, .message = "x"});
  return all.substr(all.find('\n') + 1);
}

}  // namespace

TEST_CASE("a problem is shown with its place, its line, a caret and a hint", "[job][problem]") {
  CHECK(render(yaml("a\nbcdef\n"), {.severity = Problem::Severity::warning,
                                    .position = {2, 2},
                                    .length = 3,
                                    .message = "odd",
                                    .hint = "even it"}) ==
        "job.yaml:2:2: warning: odd\n"
        "bcdef\n"
        " ^~~\n"
        "  hint: even it\n");
}

TEST_CASE("the caret stays below what it means", "[job][problem]") {
  CHECK(shown("\ta: \tb\n", {1, 6}) == "\ta: \tb\n\t   \t^\n");
  CHECK(shown("日本: x\n", {1, 5}) == "日本: x\n      ^\n");
  CHECK(shown("日本: x\n", {1, 1}, 2) == "日本: x\n^~~~\n");
  CHECK(shown("a\x1b"
              "b\n",
              {1, 2}) == "a\\x1bb\n ^~~~\n");
  CHECK(shown("abc\n", {1, 4}) == "abc\n   ^\n");
  CHECK(shown("abc\n", {1, 99}, 99) == "abc\n   ^\n");
}

TEST_CASE("a blank line, or none, is not shown", "[job][problem]") {
  CHECK(shown("", {1, 1}) == "");
  CHECK(shown("a\n \t\n", {2, 1}) == "");
  CHECK(shown("a\n", {7, 1}) == "");
}

TEST_CASE("a long line is cut around the caret", "[job][problem]") {
  const std::string left(500, 'l'), right(500, 'r');
  CHECK(shown(left + "X" + right, {1, 501}) ==
        "…" + std::string(60, 'l') + "X" + std::string(38, 'r') + "…\n" + std::string(61, ' ') + "^\n");
  CHECK(shown("X" + right, {1, 1}, 400) == "X" + std::string(99, 'r') + "…\n^" + std::string(99, '~') + "\n");
  CHECK(shown(left + "X", {1, 501}) == "…" + std::string(60, 'l') + "X\n" + std::string(61, ' ') + "^\n");
}

TEST_CASE("lines and offsets lead to each other, in any order", "[job][lines]") {
  const Lines lines("ab\r\nä€x\r\ry");
  for (const std::uint32_t offset : {11u, 4u, 0u, 9u, 6u, 10u, 1u, 12u, 4u}) {
    const Position position = lines.locate(offset);
    CHECK(lines.offset(position) == offset);
  }
  CHECK(lines.locate(9) == Position{2, 3});
  CHECK(lines.locate(11) == Position{3, 1});
  CHECK(lines.locate(12) == Position{4, 1});
  CHECK(lines.line(2) == "ä€x");
  CHECK(lines.line(3) == "");
  CHECK(lines.line(4) == "y");
  CHECK(lines.line(5) == "");
  CHECK(lines.width({4, 9}) == 2);
  CHECK(lines.width({0, 99}) == 2);
  CHECK(lines.width({12, 12}) == 1);
}
