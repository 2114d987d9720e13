#include "core/job/templates/outputs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;

namespace {

/// What is taken of `text`, or why it can't be.
std::string taken(ResultPart of, std::optional<std::string> part, std::string_view text) {
  const auto value = ResultText(text).value_of({"x", of, std::move(part)});
  return value ? *value : value.error();
}

}  // namespace

TEST_CASE("all of an output is a text, without the one newline that ends what a process wrote",
          "[job][outputs]") {
  CHECK(taken(ResultPart::out, std::nullopt, "a\n\"b\"\n\n") == R"("a\n\"b\"\n")");
  CHECK(taken(ResultPart::out, std::nullopt, "") == R"("")");
  CHECK(taken(ResultPart::body, std::nullopt, "a\n") == R"("a\n")");
  CHECK(taken(ResultPart::body, std::nullopt, "\xff") == "it has no output `x` (body): it is no UTF-8 text");
}

TEST_CASE("a part is what its JSON pointer leads to, digit by digit as it came", "[job][outputs]") {
  const std::string_view text =
      R"({"a": [10, {"b/c": 1.50, "~": 12345678901234567890123}], "": {"": true}, "n": null})";
  CHECK(taken(ResultPart::body, "/a/0", text) == "10");
  CHECK(taken(ResultPart::body, "/a/1/b~1c", text) == "1.50");
  CHECK(taken(ResultPart::body, "/a/1/~0", text) == "12345678901234567890123");
  CHECK(taken(ResultPart::body, "//", text) == "true");
  CHECK(taken(ResultPart::out, "/n", text) == "null");
  CHECK(taken(ResultPart::out, "/a", text) == R"([10,{"b/c":1.50,"~":12345678901234567890123}])");
  CHECK(taken(ResultPart::out, "", " 7\n") == "7");
}

TEST_CASE("a key that comes twice makes no value of either", "[job][outputs]") {
  CHECK(taken(ResultPart::body, "/a", "{\"a\": 1,\n\"a\": 2}") ==
        "it has no output `x` (body#/a): its body can't be read as JSON: `a` is written twice, first on line "
        "1");
}

TEST_CASE("an output that is not there says which, of what, and why", "[job][outputs]") {
  CHECK(taken(ResultPart::body, "/b", R"({"a": 1})") ==
        "it has no output `x` (body#/b): there is nothing at \"/b\"");
  for (const char* const nowhere : {"/a/00", "/a/-", "/a/1", "/a/x", "/a/0/0"})
    CHECK(taken(ResultPart::out, nowhere, R"({"a": [1]})") ==
          "it has no output `x` (stdout#" + std::string(nowhere) + "): there is nothing at \"" + nowhere +
              "\"");
  CHECK(taken(ResultPart::out, "/a", "{\"a\": }") ==
        "it has no output `x` (stdout#/a): its stdout can't be read as JSON: a value is expected here");
  CHECK(taken(ResultPart::body, "/a", "hello") ==
        "it has no output `x` (body#/a): its body can't be read as JSON: invalid literal");
  CHECK(taken(ResultPart::out, "", "") ==
        "it has no output `x` (stdout#): its stdout can't be read as JSON: it is empty");
}
