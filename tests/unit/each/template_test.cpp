#include "core/each/template.hpp"

#include <catch2/catch.hpp>

using namespace gather::each;
using Words = std::vector<std::string>;

namespace {

Expansion expand(const Words& words, const Words& arguments, bool repeat = false,
                 Template::Quoting quoting = Template::Quoting::none, const Words& names = {}) {
  return Template(words, names).expand(arguments, 7, quoting, repeat);
}

}  // namespace

TEST_CASE("a path's forms are those of GNU parallel", "[each][template]") {
  struct Row {
    std::string path, without_extension, base, directory, stem;
  };
  const auto row = GENERATE(
      Row{"a/b.txt", "a/b", "b.txt", "a", "b"}, Row{"b.tar.gz", "b.tar", "b.tar.gz", ".", "b.tar"},
      Row{"c.d/e", "c.d/e", "e", "c.d", "e"}, Row{"/f", "/f", "f", "/", "f"}, Row{"h/", "h/", "", ".", ""},
      Row{".rc", "", ".rc", ".", ""}, Row{"/", "/", "", "/", ""}, Row{"x.", "x", "x.", ".", "x"});
  CAPTURE(row.path);
  CHECK(in_form(row.path, Form::whole) == row.path);
  CHECK(in_form(row.path, Form::without_extension) == row.without_extension);
  CHECK(in_form(row.path, Form::base) == row.base);
  CHECK(in_form(row.path, Form::directory) == row.directory);
  CHECK(in_form(row.path, Form::stem) == row.stem);
}

TEST_CASE("an argument stays one word, whatever is in it", "[each][template]") {
  CHECK(expand({"echo", "{}"}, {"a b $c *"}).words == Words{"echo", "a b $c *"});
  CHECK(expand({"echo", "x{}y"}, {""}).words == Words{"echo", "xy"});
  CHECK(expand({"echo", "{}"}, {""}).words == Words{"echo", ""});
}

TEST_CASE("several arguments are words of their own, joined to what stands around", "[each][template]") {
  CHECK(expand({"echo", "a{}b", "{}"}, {"1", "2", "3"}).words ==
        Words{"echo", "a1", "2", "3b", "1", "2", "3"});
  CHECK(expand({"echo", "a{}b"}, {"1", "2"}, true).words == Words{"echo", "a1b", "a2b"});
}

TEST_CASE("numbers choose, from the end with a minus, and what is not there vanishes", "[each][template]") {
  CHECK(expand({"{2}", "{-1}", "{1}x{3}", "{3}", "{3}{4}"}, {"a", "b"}).words == Words{"b", "b", "ax"});
  CHECK(expand({"{2/}", "{1.}"}, {"a.x", "b/c"}).words == Words{"c", "a"});
}

TEST_CASE("names choose by the header", "[each][template]") {
  CHECK(expand({"{n}-{m/}", "{k}"}, {"a", "b/c"}, false, Template::Quoting::none, {"n", "m"}).words ==
        Words{"a-c", "{k}"});
}

TEST_CASE("{#} is the command's number, and {%} a place for the slot's", "[each][template]") {
  const Expansion expansion = expand({"x{#}", "s{%}-{}-{%}"}, {"ab"});
  CHECK(expansion.words == Words{"x7", "s-ab-"});
  CHECK(expansion.slots == std::vector<SlotPlace>{{1, 1}, {1, 5}});
}

TEST_CASE("braces that are no replacement string stay as they are", "[each][template]") {
  CHECK(expand({"{nope}", "{0}", "{", "}{", "{}}"}, {"a"}).words == Words{"{nope}", "{0}", "{", "}{", "a}"});
}

TEST_CASE("for a shell each argument is quoted", "[each][template]") {
  CHECK(expand({"echo {} > {1}.out"}, {"a b", "c"}, false, Template::Quoting::shell).words ==
        Words{"echo 'a b' c > 'a b'.out"});
}

TEST_CASE("a template knows whether anything is put in", "[each][template]") {
  CHECK(Template(Words{"a", "{2.}"}, {}).has_replacements());
  CHECK(Template(Words{"a", "x{#}"}, {}).has_replacements());
  CHECK_FALSE(Template(Words{"a", "{nope}"}, {}).has_replacements());
}
