#include "core/report/progress_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace gather::report {

std::string bar_text(std::size_t ended, std::size_t total) {
  constexpr std::size_t columns = 20;
  constexpr std::array<std::string_view, 8> parts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const std::size_t eighths = total == 0 ? 0 : std::min(ended, total) * columns * 8 / total;
  std::string text = fmt::format("{:>3}% ", total == 0 ? 0 : std::min(ended, total) * 100 / total);
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  text += parts[eighths % 8];
  const std::size_t filled = eighths / 8 + (eighths % 8 > 0 ? 1 : 0);
  return text + std::string(columns - filled, ' ');
}

std::string eta_text(std::size_t ended, std::size_t total, Duration elapsed) {
  if (ended == 0) return "ETA ?";
  const double seconds =
      to_seconds(elapsed) / static_cast<double>(ended) * static_cast<double>(total - std::min(ended, total));
  return "ETA " + spell(std::chrono::duration_cast<Duration>(
                      std::chrono::seconds(static_cast<std::chrono::seconds::rep>(seconds + 0.5))));
}

}  // namespace gather::report
