#include "core/base/quote.hpp"

#include <catch2/catch.hpp>

#include <vector>

TEST_CASE("text is made inert: nothing is left that acts on a terminal", "[base][quote]") {
  CHECK(gather::inert("plain ünïcode ✓") == "plain ünïcode ✓");
  CHECK(gather::inert("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(gather::inert("\x1b[31m") == "\\x1b[31m");
  CHECK(gather::inert("\xe2\x80\xae") == "\\u202e");
  CHECK(gather::inert("\xc2\x9b") == "\\x9b");
  CHECK(gather::inert("\xff ok") == "\\xff ok");
}

TEST_CASE("a long value is cut by characters, not bytes", "[base][quote]") {
  CHECK(gather::in_quotes("äöüß", 3) == "\"äöü…\"");
  CHECK(gather::in_quotes("äöü", 3) == "\"äöü\"");
}

TEST_CASE("shell words are quoted only where a shell would change them", "[base][quote]") {
  CHECK(gather::shell_quoted("make") == "make");
  CHECK(gather::shell_quoted("") == "''");
  CHECK(gather::shell_quoted("it's") == "'it'\\''s'");
  CHECK(gather::shell_quoted(std::vector<std::string>{"echo", "a b", "$HOME"}) == "echo 'a b' '$HOME'");
}
