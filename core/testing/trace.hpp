/// Trace: what happened when, as text to compare with what should have.
#pragma once

#include "core/async/loop/loop.hpp"

#include <string>
#include <string_view>

namespace gather::testing {

/// Notes events with the time since it was made, one line each: "10 ms fetch ok\n". In virtual time the whole
/// text is the same in every run.
class Trace {
 public:
  /// The loop must outlive it.
  explicit Trace(const async::Loop& loop) : loop_(loop), start_(loop.now()) {}

  void note(std::string_view event);

  const std::string& text() const noexcept { return text_; }

 private:
  const async::Loop& loop_;
  async::TimePoint start_;
  std::string text_;
};

}  // namespace gather::testing
