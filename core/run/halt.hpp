/// When so many endings stop a run: `--halt` in GNU parallel's words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace gather::run {

/// What has ended so far; cancelled and skipped tasks are not in it.
struct Endings {
  std::size_t failed = 0;
  std::size_t passed = 0;
};

struct Halt {
  enum class When : std::uint8_t {
    soon,  ///< Nothing new starts; what runs goes on to its end.
    now,   ///< What runs is stopped, too.
  };
  enum class Why : std::uint8_t { fail, success, done };

  When when = When::now;
  Why why = Why::fail;
  double amount = 1;        ///< Of tasks, or of a hundred of all; above 0.
  bool percentage = false;  ///< Counts from the third ending on.

  /// Whether the endings are enough of `tasks` in all.
  bool reached(const Endings& endings, std::size_t tasks) const;

  friend bool operator==(const Halt&, const Halt&) = default;
};

/// `never`, or WHEN,WHY=N or =N%: `soon,fail=1`, `now,fail=10%`, `now,success=1`, `soon,done=5`. Nothing for
/// `never`; a sentence without a final full stop for what is none of these.
std::expected<std::optional<Halt>, std::string> parse_halt(std::string_view text);

}  // namespace gather::run
