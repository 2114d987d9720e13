#include "core/job/templates/template.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;

namespace {

/// The pieces between bars; a path as it is spelt, in angle brackets.
std::string shown(std::string_view text) {
  const auto made = parse_template(text);
  if (!made) return made.error();
  std::string all;
  for (const auto& piece : made->pieces) {
    const auto* const path = std::get_if<Path>(&piece);
    all += "|" + (path == nullptr ? std::get<std::string>(piece) : "<" + path->spell() + ">");
  }
  return all;
}

}  // namespace

TEST_CASE("a text is cut into what stands for itself and paths", "[job][templates]") {
  CHECK(shown("").empty());
  CHECK(shown("plain } { $ text") == "|plain } { $ text");
  CHECK(shown("${{ vars.a }}") == "|<vars.a>");
  CHECK(shown("${{vars.a}}") == "|<vars.a>");
  CHECK(shown("a ${{ vars.b }}c${{\tenv.D_1\n}} }}") == "|a |<vars.b>|c|<env.D_1>| }}");
  CHECK(shown("${{ vars.a }}${{ vars.b }}") == "|<vars.a>|<vars.b>");
  CHECK(shown("$${{ vars.a }}") == "|$|<vars.a>");
}

TEST_CASE("a path goes by names, keys in brackets and places", "[job][templates]") {
  CHECK(shown("${{ tasks[\"a.b\"].outputs.x-y[ 0 ][12]['q r'] }}") ==
        "|<tasks[\"a.b\"].outputs.x-y[0][12][\"q r\"]>");
  CHECK(shown("${{ vars['plain'] }}") == "|<vars.plain>");
}

TEST_CASE("a text in quotes stands for itself, also what begins a template or ends one", "[job][templates]") {
  CHECK(shown("a${{ '${{' }}b") == "|a${{b");
  CHECK(shown("${{ \"it's }}\" }}") == "|it's }}");
  const auto literal = parse_template("${{ 'x' }}");
  REQUIRE(literal);
  CHECK(literal->whole() == nullptr);
}

TEST_CASE("only a path that is all of the text is the whole", "[job][templates]") {
  const auto is_whole = [](std::string_view text) { return parse_template(text)->whole() != nullptr; };
  CHECK(is_whole("${{ vars.a }}"));
  CHECK_FALSE(is_whole(" ${{ vars.a }}"));
  CHECK_FALSE(is_whole("${{ vars.a }}${{ vars.b }}"));
  CHECK_FALSE(is_whole("text"));
}

TEST_CASE("what can't stand in a template is named", "[job][templates]") {
  const std::string rest =
      " can't stand in a template; paths can, as in `tasks.login.outputs.token`, and texts in quotes";
  CHECK(shown("${{ }}") == "this template is empty");
  CHECK(shown("a ${{ vars.a") == "this template has no end: `}}` is missing");
  CHECK(shown("${{ vars.a } }") == "this template has no end: `}}` is missing");
  CHECK(shown("${{ a && b }} c") == "`a && b`" + rest);
  CHECK(shown("${{ 1 }}") == "`1`" + rest);
  CHECK(shown("${{ vars. }}") == "`vars.`" + rest);
  CHECK(shown("${{ vars[x] }}") == "`vars[x]`" + rest);
  CHECK(shown("${{ vars[-1] }}") == "`vars[-1]`" + rest);
  CHECK(shown("${{ vars.a[99999999999999999999] }}") == "`vars.a[99999999999999999999]`" + rest);
  CHECK(shown("${{ 'x }}") == "`'x`" + rest);
}
