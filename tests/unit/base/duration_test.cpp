#include "core/base/duration.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::parse_duration;
using gather::show;
using gather::spell;

TEST_CASE("durations are read with units, largest first, or as bare seconds", "[base][duration]") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("1.5s") == 1500ms);
  CHECK(parse_duration("2m30s") == 150s);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("1h1m1s1ms1us1ns") == 1h + 1min + 1s + 1ms + 1us + 1ns);
  CHECK(parse_duration("0") == 0s);
  CHECK(parse_duration("0.25") == 250ms);
  CHECK(parse_duration("87600h") == 87600h);
}

TEST_CASE("what is no duration is refused with a sentence", "[base][duration]") {
  const std::string text =
      GENERATE("", "s", "1x", "1 s", "1s1m", "1m1m", "1m30", "1e3", "inf", "nan", "0x10", "1..5s");
  CHECK(parse_duration(text).error() ==
        "\"" + text + "\" is no duration; write 250ms, 1.5s, 2m30s, 1h, or a number of seconds");
}

TEST_CASE("durations that are negative or longer than ten years are refused", "[base][duration]") {
  CHECK(parse_duration("-1s").error() == "a duration can't be negative");
  CHECK(parse_duration("90000h").error() == "a duration can be at most 10 years");
  CHECK(gather::duration_from_seconds(1e300).error() == "a duration can be at most 10 years");
  CHECK(gather::duration_from_seconds(std::numeric_limits<double>::infinity()).error() ==
        "a duration must be finite");
}

TEST_CASE("durations are shown with about three digits", "[base][duration]") {
  CHECK(show(0s) == "0 ms");
  CHECK(show(420us) == "0.4 ms");
  CHECK(show(12345us) == "12 ms");
  CHECK(show(1250ms) == "1.25 s");
  CHECK(show(59990ms) == "59.99 s");
  CHECK(show(125s) == "2m05s");
  CHECK(show(3720s) == "1h02m");
}

TEST_CASE("a spelt duration reads back as itself", "[base][duration]") {
  const gather::Duration length = GENERATE(0ns, 1ns, 250ms, 150s, 1h, 3661001002003ns);
  CHECK(parse_duration(spell(length)) == length);
  CHECK(spell(150s) == "2m30s");
}
