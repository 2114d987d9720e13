#include "core/report/columns.hpp"
#include "core/report/tail.hpp"
#include "core/report/words.hpp"
#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::report::cut;
using gather::report::in_words;
using gather::report::Tail;
using gather::report::times;
using gather::report::width;

namespace {

std::vector<std::string> last_lines(std::string_view text, std::size_t most = 10) {
  Tail tail;
  tail.add(text);
  return tail.lines(most);
}

}  // namespace

TEST_CASE("width counts columns, not bytes", "[report][columns]") {
  CHECK(width("plain") == 5);
  CHECK(width("äöü…█") == 5);
  CHECK(width("日本") == 4);
  CHECK(width("e\u0301") == 1);
  CHECK(width("🚀") == 2);
  CHECK(width("\xff") == 1);
}

TEST_CASE("text is cut to a width and filled up to it", "[report][columns]") {
  CHECK(cut("äöü", 3) == "äöü");
  CHECK(cut("äöüß", 3) == "äö…");
  CHECK(cut("日本語", 4) == "日…");
  CHECK(cut("abc", 0).empty());
  CHECK(gather::report::padded("日", 4) == "日  ");
  CHECK(gather::report::right_aligned("ä", 3) == "  ä");
}

TEST_CASE("a tail is the last lines, without blank ones at the end", "[report][tail]") {
  CHECK(last_lines("one\ntwo\n\nthree\n\n \n", 3) == std::vector<std::string>{"two", "", "three"});
  CHECK(last_lines("one") == std::vector<std::string>{"one"});
  CHECK(last_lines("").empty());
  CHECK(last_lines("\n\n").empty());
}

TEST_CASE("a tail holds nothing that acts on a terminal", "[report][tail]") {
  CHECK(last_lines("\x1b[1;31merror\x1b[0m: \x1b]8;;http://x\a"
                   "here\x1b]8;;\x1b\\\tend\x1b(B\x07") ==
        std::vector<std::string>{"error: here  endB\\x07"});
  CHECK(last_lines("10 %\r55 %\r100 %\r\n") == std::vector<std::string>{"100 %"});
  CHECK(last_lines("\xff\xfe") == std::vector<std::string>{"\\xff\\xfe"});
  CHECK(last_lines("cut\x1b[") == std::vector<std::string>{"cut"});
}

TEST_CASE("a tail stays small whatever is written", "[report][tail]") {
  Tail tail;
  for (int i = 0; i < 100'000; ++i) tail.add("line " + std::to_string(i) + "\n");
  CHECK(tail.lines(2) == std::vector<std::string>{"line 99998", "line 99999"});

  const std::string without_newline(1'000'000, 'x');
  CHECK(last_lines(without_newline) == std::vector<std::string>{std::string(400, 'x') + "…"});
}

TEST_CASE("actions are told in words", "[report][words]") {
  using namespace gather::job;
  CHECK(in_words(Action(Sleep{1500ms})) == "sleep 1s500ms");
  CHECK(in_words(Action(Run{{"make", "-j2", "a b"}})) == "make -j2 'a b'");
  CHECK(in_words(Action(Shell{"\n  echo one\necho two\n"})) == "sh: echo one …");
  CHECK(in_words(Action(Shell{"echo one\n"})) == "sh: echo one");
  CHECK(in_words(Action(Milestone{})) == "milestone");
  gather::test::MadeRun made;
  made.task("x").is_fetch();
  CHECK(in_words(made.job.tasks[0].action) == "GET http://localhost/x");
}

TEST_CASE("ratios have three digits or so", "[report][words]") {
  CHECK(times(2.994) == "2.99x");
  CHECK(times(12.34) == "12.3x");
  CHECK(times(250.4) == "250x");
  CHECK(times(9.997) == "10.0x");
}
