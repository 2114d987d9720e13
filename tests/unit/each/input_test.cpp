#include "core/each/input.hpp"

#include "core/base/error.hpp"

#include <catch2/catch.hpp>

using namespace gather::each;
using Records = std::vector<Record>;

TEST_CASE("a delimiter ends an argument, also the last one", "[each][input]") {
  CHECK(split_values("a\n\nb\n", "\n") == Record{"a", "", "b"});
  CHECK(split_values("a\nb", "\n") == Record{"a", "b"});
  CHECK(split_values("", "\n").empty());
  CHECK(split_values("\n", "\n") == Record{""});
  CHECK(split_values("a--b--", "--") == Record{"a", "b"});
  CHECK(split_values(std::string_view("a\0b c\0", 6), std::string_view("\0", 1)) == Record{"a", "b c"});
}

TEST_CASE("escapes of a delimiter are those of C", "[each][input]") {
  CHECK(read_delimiter(",") == ",");
  CHECK(read_delimiter("\\t") == "\t");
  CHECK(read_delimiter("\\0") == std::string(1, '\0'));
  CHECK(read_delimiter("\\x2c\\\\") == ",\\");
  CHECK_THROWS_WITH(read_delimiter(""), Catch::Contains("it is empty"));
  CHECK_THROWS_WITH(read_delimiter("\\q"), Catch::Contains("escape that is none"));
  CHECK_THROWS_WITH(read_delimiter("\\xg"), Catch::Contains("escape that is none"));
}

TEST_CASE("sources make every combination, the last one fastest", "[each][input]") {
  const Input input = combine({{{"a", "b"}}, {{"1", "2"}}}, {});
  CHECK(input.records == Records{{"a", "1"}, {"a", "2"}, {"b", "1"}, {"b", "2"}});
}

TEST_CASE("an empty source leaves no combination", "[each][input]") {
  CHECK(combine({{{"a", "b"}}, {}}, {}).records.empty());
  CHECK(combine({}, {}).records.empty());
}

TEST_CASE("linked sources go along, and shorter ones begin again", "[each][input]") {
  InputOptions options;
  options.link = true;
  CHECK(combine({{{"a", "b", "c"}}, {{"1", "2"}}}, options).records ==
        Records{{"a", "1"}, {"b", "2"}, {"c", "1"}});
  CHECK(combine({{{"a"}}, {}}, options).records.empty());
}

TEST_CASE("a source behind :::+ goes along with the one before it, and the shorter ends both",
          "[each][input]") {
  CHECK(combine({{{"a", "b", "c"}}, {{"1", "2"}, true}}, {}).records == Records{{"a", "1"}, {"b", "2"}});
  CHECK(combine({{{"x", "y"}}, {{"a", "b"}}, {{"1", "2"}, true}}, {}).records ==
        Records{{"x", "a", "1"}, {"x", "b", "2"}, {"y", "a", "1"}, {"y", "b", "2"}});
}

TEST_CASE("columns are parted by a regular expression", "[each][input]") {
  InputOptions options;
  options.colsep = " *, *";
  CHECK(combine({{{"a , b", "c", ""}}}, options).records == Records{{"a", "b"}, {"c"}, {""}});
  options.colsep = "(";
  CHECK_THROWS_WITH(combine({{{"a"}}}, options), Catch::Contains("no regular expression"));
}

TEST_CASE("a header names the sources, or the columns", "[each][input]") {
  InputOptions options;
  options.header = true;
  const Input sources = combine({{{"n", "a"}}, {{"m", "1"}}}, options);
  CHECK(sources.names == Record{"n", "m"});
  CHECK(sources.records == Records{{"a", "1"}});
  options.colsep = ",";
  const Input columns = combine({{{"n,m", "a,1"}}}, options);
  CHECK(columns.names == Record{"n", "m"});
  CHECK(columns.records == Records{{"a", "1"}});
  CHECK_THROWS_WITH(combine({{}}, options), Catch::Contains("a source is empty"));
}
