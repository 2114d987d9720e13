#include "core/job/load.hpp"

#include <catch2/catch.hpp>

TEST_CASE("x") { gather::job::Source s{.name="a.yaml", .text="tasks: {a: {sleep: 1}}"}; CHECK(gather::job::load(s).usable()); }
