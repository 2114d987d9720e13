#include "core/analyse/statistics.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <vector>

namespace gather::analyse {
namespace {

/// P(|T| <= t).
double within(double t, unsigned degrees) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(theta);
  const bool odd = degrees % 2 == 1;
  // Odd: cos + 2/3 cos³ + … up to cos^(degrees-2); even: 1 + 1/2 cos² + … up to cos^(degrees-2).
  double term = odd ? cosine : 1;
  double sum = 0;
  for (unsigned power = odd ? 1 : 0; power + 2 <= degrees; power += 2) {
    sum += term;
    term *= cosine * cosine * (power + 1) / (power + 2);
  }
  const double series = std::sin(theta) * sum;
  return odd ? 2 / std::numbers::pi * (theta + series) : series;
}

std::vector<double> logarithms(std::span<const double> ratios) {
  std::vector<double> logs;
  for (const double ratio : ratios) logs.push_back(std::log(ratio));
  return logs;
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

double student_t_95(unsigned degrees) {
  assert(degrees >= 1);
  double low = 0;
  double high = 13;  // 12.71 for one degree is the largest.
  while (high - low > 1e-10) {
    const double middle = (low + high) / 2;
    (within(middle, degrees) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2;
}

double median(std::span<const double> values) {
  assert(!values.empty());
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::size_t upper = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[upper] : (sorted[upper - 1] + sorted[upper]) / 2;
}

std::optional<Ratio> summarise(std::span<const double> ratios) {
  const auto usable = [](double ratio) { return std::isfinite(ratio) && ratio > 0; };
  if (ratios.empty() || !std::ranges::all_of(ratios, usable)) return std::nullopt;
  const auto [least, most] = std::ranges::minmax(ratios);
  return Ratio{std::exp(mean(logarithms(ratios))), least, median(ratios), most};
}

std::optional<Interval> interval_95(std::span<const double> ratios) {
  if (ratios.size() < fewest_for_interval || !summarise(ratios)) return std::nullopt;
  const std::vector<double> logs = logarithms(ratios);
  const double centre = mean(logs);
  double squares = 0;
  for (const double log : logs) squares += (log - centre) * (log - centre);
  const auto count = static_cast<double>(logs.size());
  const double error = std::sqrt(squares / (count - 1) / count);
  const double reach = student_t_95(static_cast<unsigned>(logs.size() - 1)) * error;
  return Interval{std::exp(centre - reach), std::exp(centre + reach)};
}

}  // namespace gather::analyse
