#include "core/report/line_mixer.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>
#include <vector>

using gather::report::LineMixer;

namespace {

constexpr auto a = LineMixer::Writer(1);
constexpr auto b = LineMixer::Writer(2);
constexpr auto c = LineMixer::Writer(3);

struct Place {
  std::string text;
  LineMixer mixer{[this](LineMixer::Writer, std::string_view piece) { text += piece; }};
};

const std::string part_of_long_line(100'000, 'x');

}  // namespace

TEST_CASE("a line is passed on when it is whole, and not before", "[report][stream]") {
  Place place;
  place.mixer.add(a, "one\ntw");
  CHECK(place.text == "one\n");
  place.mixer.add(b, "B\n");
  place.mixer.add(a, "o\n");
  CHECK(place.text == "one\nB\ntwo\n");
}

TEST_CASE("a last line without a newline comes as it is, unless something follows", "[report][stream]") {
  Place place;
  place.mixer.add(a, "end");
  place.mixer.end(a);
  CHECK(place.text == "end");
  place.mixer.add(b, "B\n");
  CHECK(place.text == "end\nB\n");
}

TEST_CASE("the next attempt of a writer does not go on with its last line", "[report][stream]") {
  Place place;
  place.mixer.add(a, "first");
  place.mixer.end(a);
  place.mixer.add(a, "second\n");
  CHECK(place.text == "first\nsecond\n");
}

TEST_CASE("a line longer than memory allows is not broken into by others, who come after it",
          "[report][stream]") {
  Place place;
  place.mixer.add(a, part_of_long_line);
  CHECK(place.text == part_of_long_line);
  place.mixer.add(b, "B1\nB2\n");
  place.mixer.add(c, "C without end");
  place.mixer.end(c);
  place.mixer.add(b, "B3");
  CHECK(place.text == part_of_long_line);
  place.mixer.add(a, part_of_long_line + "\nA2");
  CHECK(place.text == part_of_long_line + part_of_long_line + "\nB1\nB2\nC without end");
  place.mixer.end(b);
  place.mixer.end(a);
  CHECK(place.text == part_of_long_line + part_of_long_line + "\nB1\nB2\nC without end\nB3\nA2");
}

TEST_CASE("a long line that never ends holds the others up to its writer's end at most", "[report][stream]") {
  Place place;
  place.mixer.add(a, part_of_long_line);
  place.mixer.add(b, "B\n");
  place.mixer.end(b);
  place.mixer.end(a);
  CHECK(place.text == part_of_long_line + "\nB\n");
}

TEST_CASE("of two long lines the second waits for the first", "[report][stream]") {
  Place place;
  place.mixer.add(a, part_of_long_line);
  place.mixer.add(b, part_of_long_line);
  place.mixer.add(b, part_of_long_line);
  place.mixer.add(a, "A\n");
  CHECK(place.text == part_of_long_line + "A\n" + part_of_long_line + part_of_long_line);
  place.mixer.add(a, "again\n");
  place.mixer.add(b, "B\n");
  CHECK(place.text == part_of_long_line + "A\n" + part_of_long_line + part_of_long_line + "B\nagain\n");
}

TEST_CASE("whatever the pieces, every line comes whole, and each writer's in its order", "[report][stream]") {
  std::mt19937 random(GENERATE(range(1u, 20u)));
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  constexpr std::size_t writers = 4;
  std::vector<std::string> left(writers);
  std::vector<std::string> wanted(writers);
  for (std::size_t w = 0; w < writers; ++w)
    for (int line = 0; line < 40; ++line)
      wanted[w] +=
          std::string(below(20) == 0 ? 70'000 + below(100'000) : below(200), static_cast<char>('a' + w)) +
          static_cast<char>('a' + w) + "\n";
  left = wanted;
  Place place;
  for (bool some = true; some;) {
    some = false;
    for (std::size_t w = 0; w < writers; ++w) {
      if (left[w].empty()) continue;
      some = true;
      const std::size_t length = std::min(left[w].size(), 1 + below(below(2) == 0 ? 100 : 65'536));
      place.mixer.add(LineMixer::Writer(w), left[w].substr(0, length));
      left[w].erase(0, length);
      if (left[w].empty()) place.mixer.end(LineMixer::Writer(w));
    }
  }
  std::vector<std::string> got(writers);
  bool whole = true;
  for (std::size_t at = 0; at < place.text.size();) {
    const std::size_t end = place.text.find('\n', at);
    REQUIRE(end != std::string::npos);
    const std::string line = place.text.substr(at, end - at + 1);
    whole = whole && line.find_first_not_of(line[0]) == line.size() - 1;
    got[static_cast<std::size_t>(line[0] - 'a')] += line;
    at = end + 1;
  }
  CHECK(whole);
  CHECK((got == wanted));
}
