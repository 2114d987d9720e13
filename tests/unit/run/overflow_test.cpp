#include "core/run/overflow.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

using gather::run::Overflow;

TEST_CASE("what waits comes out as it went in, however much it is", "[run][overflow]") {
  std::mt19937 random(GENERATE(as<unsigned>(), 1, 2, 3));
  Overflow overflow(1000);
  std::string in;
  std::string out;
  for (int step = 0; step < 3000; ++step) {
    if (random() % 2 == 0) {
      const std::string piece(random() % (step % 100 == 0 ? 200'000 : 400),
                              static_cast<char>('a' + step % 26));
      overflow.append(piece);
      in += piece;
    } else if (const std::string_view front = overflow.front(); !front.empty()) {
      const std::size_t count = 1 + random() % front.size();
      out += front.substr(0, count);
      overflow.drop(count);
    }
    REQUIRE(overflow.empty() == (in.size() == out.size()));
  }
  while (!overflow.empty()) {
    const std::size_t count = overflow.front().size();
    out += overflow.front();
    overflow.drop(count);
  }
  CHECK((out == in));
  CHECK(overflow.front().empty());
}
