#include "core/analyse/statistics.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

using gather::analyse::interval_95;
using gather::analyse::student_t_95;
using gather::analyse::summarise;

TEST_CASE("Student's t agrees with the printed tables", "[analyse][statistics]") {
  // Two-sided 95 %; NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  CHECK(student_t_95(1) == Approx(12.706).epsilon(5e-5));
  CHECK(student_t_95(2) == Approx(4.303).epsilon(2e-4));
  CHECK(student_t_95(5) == Approx(2.571).epsilon(2e-4));
  CHECK(student_t_95(10) == Approx(2.228).epsilon(3e-4));
  CHECK(student_t_95(29) == Approx(2.045).epsilon(3e-4));
  CHECK(student_t_95(1000) == Approx(1.962).epsilon(3e-4));
}

TEST_CASE("ratios are summarised by their geometric mean", "[analyse][statistics]") {
  const std::vector<double> ratios{8, 1, 2, 4};
  const auto summary = summarise(ratios);
  CHECK(summary->mean == Approx(2.8284271247));
  CHECK(summary->least == 1);
  CHECK(summary->median == 3);
  CHECK(summary->most == 8);
}

TEST_CASE("what can't be divided has no summary", "[analyse][statistics]") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(!summarise({}));
  CHECK(!summarise(std::vector<double>{1, 0}));
  CHECK(!summarise(std::vector<double>{1, infinity}));
  CHECK(!summarise(std::vector<double>{std::nan("")}));
}

TEST_CASE("the interval needs six ratios and follows the t distribution of their logarithms",
          "[analyse][statistics]") {
  CHECK(!interval_95(std::vector<double>{1, 2, 3, 4, 5}));
  // Logarithms 0 and 1 thrice each: mean 0.5, s = sqrt(0.3), reach 2.570582 * s / sqrt(6).
  const double e = std::exp(1);
  const auto interval = interval_95(std::vector<double>{1, e, 1, e, 1, e});
  CHECK(std::log(interval->low) == Approx(0.5 - 2.570582 * std::sqrt(0.3 / 6)));
  CHECK(std::log(interval->high) == Approx(0.5 + 2.570582 * std::sqrt(0.3 / 6)));
  CHECK(interval->holds(1.5));
}
