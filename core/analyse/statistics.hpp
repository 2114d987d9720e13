/// The few statistics that comparisons need. Knows numbers only.
#pragma once

#include <optional>
#include <span>

namespace gather::analyse {

/// A quantity measured several times.
struct Ratio {
  double mean = 1;  ///< Geometric: what multiplies and divides as the single measurements do.
  double least = 1;
  double median = 1;
  double most = 1;
};

/// Both ends belong to it.
struct Interval {
  double low = 1;
  double high = 1;

  bool holds(double value) const { return low <= value && value <= high; }
};

/// Not set unless there is a value, and every one is finite and above 0.
std::optional<Ratio> summarise(std::span<const double> ratios);

/// The middle one, or the mean of the two in the middle. Requires at least one.
double median(std::span<const double> values);

/// The 95 % interval of the geometric mean, taking the logarithms as normal: exp(mean ± t·s/√n) over them.
/// Not set for fewer than `fewest_for_interval` ratios, or where `summarise` has nothing.
std::optional<Interval> interval_95(std::span<const double> ratios);

inline constexpr std::size_t fewest_for_interval = 6;

/// The t that Student's distribution with `degrees` (at least 1) degrees of freedom keeps within ±t with
/// probability 0.95, to 1e-9.
/// Source: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 and 26.7.4 (the
/// distribution in closed form for whole degrees), inverted by halving.
double student_t_95(unsigned degrees);

}  // namespace gather::analyse
