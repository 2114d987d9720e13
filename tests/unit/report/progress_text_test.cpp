#include "core/report/progress_text.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::report::bar_text;
using gather::report::eta_text;

TEST_CASE("a bar has as many eighths of its twenty columns as there is done", "[report][progress]") {
  CHECK(bar_text(0, 10) == "  0%                     ");
  CHECK(bar_text(1, 160) == "  0% ▏                   ");
  CHECK(bar_text(5, 10) == " 50% ██████████          ");
  CHECK(bar_text(9, 160) == "  5% █▏                  ");
  CHECK(bar_text(10, 10) == "100% ████████████████████");
  CHECK(bar_text(0, 0) == "  0%                     ");
  CHECK(bar_text(12, 10) == "100% ████████████████████");
}

TEST_CASE("the time left follows from the rate so far", "[report][progress]") {
  CHECK(eta_text(0, 10, 5s) == "ETA ?");
  CHECK(eta_text(1, 10, 2s) == "ETA 18s");
  CHECK(eta_text(5, 10, 60s) == "ETA 1m");
  CHECK(eta_text(10, 10, 60s) == "ETA 0s");
  CHECK(eta_text(3, 1000, 100ms) == "ETA 33s");
}
