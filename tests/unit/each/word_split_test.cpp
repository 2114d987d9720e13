#include "core/each/word_split.hpp"

#include "core/base/error.hpp"

#include <catch2/catch.hpp>

using gather::each::split_words;
using Words = std::vector<std::string>;

TEST_CASE("a text splits into the words that a shell would make of it", "[each][words]") {
  CHECK(split_words("gzip -9 {}") == Words{"gzip", "-9", "{}"});
  CHECK(split_words("  a \t b\n") == Words{"a", "b"});
  CHECK(split_words("'a b'c \"d 'e'\"f g\\ h") == Words{"a bc", "d 'e'f", "g h"});
  CHECK(split_words(R"("a\"b\\c\d")") == Words{R"(a"b\c\d)"});
  CHECK(split_words("'' \"\" x") == Words{"", "", "x"});
  CHECK(split_words("a\\\nb") == Words{"ab"});
  CHECK(split_words("").empty());
  CHECK(split_words("a#b ~ [x] {y} = %") == Words{"a#b", "~", "[x]", "{y}", "=", "%"});
}

TEST_CASE("what only a shell understands is refused, with the way out", "[each][words]") {
  const std::string text = GENERATE("a | b", "a && b", "a; b", "a < b", "a > b", "(a)", "echo $x", "ls *",
                                    "ls ?", "echo \"$x\"", "echo `x`", "echo \"`x`\"");
  CAPTURE(text);
  CHECK_THROWS_WITH(split_words(text), Catch::Contains("add --shell"));
}

TEST_CASE("quoted, the shell's own characters are plain text", "[each][words]") {
  CHECK(split_words(R"('|&;<>()$*?`' "|&;<>()*?" \| "\$")") == Words{"|&;<>()$*?`", "|&;<>()*?", "|", "$"});
}

TEST_CASE("a quote without an end is refused", "[each][words]") {
  CHECK_THROWS_WITH(split_words("a 'b"), Catch::Contains("single quote has no end"));
  CHECK_THROWS_WITH(split_words("a \"b"), Catch::Contains("double quote has no end"));
  CHECK_THROWS_WITH(split_words("a \\"), Catch::Contains("backslash has no end"));
}
