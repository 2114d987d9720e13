#include "core/base/size.hpp"

#include <catch2/catch.hpp>

using gather::parse_size;

TEST_CASE("a size is a number of bytes, with a unit of thousands or of 1,024", "[base][size]") {
  CHECK(parse_size("0") == 0);
  CHECK(parse_size("1500") == 1500);
  CHECK(parse_size("12B") == 12);
  CHECK(parse_size("500k") == 500'000);
  CHECK(parse_size("500K") == 500'000);
  CHECK(parse_size("10MB") == 10'000'000);
  CHECK(parse_size("4MiB") == 4 * 1024 * 1024);
  CHECK(parse_size("1Gi") == 1024UL * 1024 * 1024);
  CHECK(parse_size("2T") == 2'000'000'000'000);
  CHECK(parse_size("9223372036854775807") == 9223372036854775807);
}

TEST_CASE("what is no size is refused", "[base][size]") {
  const char* const text = GENERATE("", "k", "-1", "1.5M", "1 k", "1kk", "1Bk", "1iB", "1X", "1MiBB",
                                    "9223372036854775808", "9999999T", "99999999999999999999");
  CAPTURE(text);
  CHECK_FALSE(parse_size(text));
}
