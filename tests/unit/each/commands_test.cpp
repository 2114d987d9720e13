#include "core/each/commands.hpp"

#include "core/base/error.hpp"

#include <catch2/catch.hpp>

using namespace gather::each;
using Words = std::vector<std::string>;

namespace {

Input over(const Words& values) { return combine({{values}}, {}); }

Words shown(const Input& input, const CommandOptions& options) {
  Words all;
  for (const Command& command : commands(input, options)) all.push_back(command.shown);
  return all;
}

CommandOptions of(const Words& words) {
  CommandOptions options;
  options.words = words;
  return options;
}

}  // namespace

TEST_CASE("one text is split into words, several stand as they are", "[each][commands]") {
  CHECK(shown(over({"a b"}), of({"gzip -9 {}"})) == Words{"gzip -9 'a b'"});
  CHECK(shown(over({"a"}), of({"echo", "x | y", "{}"})) == Words{"echo 'x | y' a"});
}

TEST_CASE("arguments go behind a command that names no place for them", "[each][commands]") {
  CHECK(shown(over({"a", "b"}), of({"echo", "x"})) == Words{"echo x a", "echo x b"});
  CommandOptions options = of({"echo x"});
  options.shell = true;
  CHECK(shown(over({"a b"}), options) == Words{"echo x 'a b'"});
}

TEST_CASE("without a command each argument is one", "[each][commands]") {
  CHECK(shown(over({"echo 'a  b'", "true"}), {}) == Words{"echo 'a  b'", "true"});
  CHECK_THROWS_WITH(commands(over({"a | b"}), {}), Catch::Contains("add --shell"));
  CommandOptions options;
  options.shell = true;
  CHECK(commands(over({"a | b"}), options).front().run.words == Words{"sh", "-c", "a | b"});
}

TEST_CASE("-n takes so many arguments at a time", "[each][commands]") {
  CommandOptions options = of({"echo", "{}"});
  options.arguments_per_command = 2;
  CHECK(shown(over({"1", "2", "3"}), options) == Words{"echo 1 2", "echo 3"});
}

TEST_CASE("-m and -X fill a command line, and give every slot its share", "[each][commands]") {
  CommandOptions options = of({"echo", "{}"});
  options.fill = true;
  options.slots = 3;
  CHECK(shown(over({"1", "2", "3", "4", "5"}), options) == Words{"echo 1 2", "echo 3 4", "echo 5"});
  options.slots = 1;
  const std::vector<Command> long_ones = commands(over(Words(5, std::string(60'000, 'x'))), options);
  REQUIRE(long_ones.size() == 3);
  CHECK(long_ones[0].run.words.size() == 3);
  CHECK(long_ones[2].run.words.size() == 2);
}

TEST_CASE("a tag is a template of its own", "[each][commands]") {
  CommandOptions options = of({"echo"});
  options.tag = "{#}:{}";
  CHECK(commands(over({"a b"}), options).front().tag == "1:a b");
}

TEST_CASE("a command that is empty is refused", "[each][commands]") {
  CHECK_THROWS_WITH(commands(over({"a"}), of({""})), Catch::Contains("the command is empty"));
  CHECK_THROWS_WITH(commands(over({"a"}), of({" "})), Catch::Contains("the command is empty"));
  CHECK_THROWS_WITH(commands(over({""}), of({"{}"})), Catch::Contains("there is no program to run"));
  CHECK_THROWS_WITH(commands(over({"a", ""}), {}), Catch::Contains("command 2 is empty"));
}
