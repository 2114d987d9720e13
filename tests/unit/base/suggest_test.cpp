#include "core/base/suggest.hpp"

#include <catch2/catch.hpp>

#include <array>

TEST_CASE("the nearest known word is suggested when it is near enough", "[base][suggest]") {
  constexpr std::array<std::string_view, 4> known{"needs", "retry", "timeout", "tags"};
  CHECK(gather::nearest("retires", known) == "retry");
  CHECK(gather::nearest("tiemout", known) == "timeout");
  CHECK(gather::nearest("neds", known) == "needs");
  CHECK(gather::nearest("colour", known) == std::nullopt);
  CHECK(gather::nearest("", known) == std::nullopt);
}
