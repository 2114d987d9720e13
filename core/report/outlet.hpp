/// One descriptor that reports are written to, with what it has not taken yet. It knows no loop.
#pragma once

#include "core/run/overflow.hpp"

#include <string>
#include <string_view>

namespace gather::report {

/// Writes are gathered, up to 64 KiB or until flush(). Each function returns errno, or 0; once one has
/// failed, the text at hand is lost.
class Outlet {
 public:
  explicit Outlet(int descriptor) noexcept : descriptor_(descriptor) {}
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  ~Outlet() { close_own(); }

  int add(std::string_view text);
  int flush() { return pending_.empty() ? 0 : write_all({}); }
  /// What was gathered, and `text` behind it, which is not copied for that.
  int write_all(std::string_view text);

  /// From now on nothing waits for a slow reader: what a pipe or a terminal does not take is kept. No-op for
  /// what never makes a writer wait, such as a file, and where it is not allowed.
  ///
  /// The descriptor is opened anew for that, because "non-blocking" belongs to everybody who shares one.
  void never_wait();
  /// Back to waiting, also for what was kept.
  int wait_again();
  bool waits() const noexcept { return own_ < 0; }

  /// From now on everything is kept; before that, and when it ends, what is kept is written.
  int hold(bool held);
  bool held() const noexcept { return held_; }

  /// Whether something is kept, in which case watched() becomes writable one day; then pass_on().
  bool congested() const noexcept { return held_ || !kept_.empty(); }
  int watched() const noexcept { return own_ >= 0 ? own_ : descriptor_; }
  int pass_on();

 private:
  int write(std::string_view first, std::string_view second);
  void close_own() noexcept;

  int descriptor_;
  int own_ = -1;  // The same place, not blocking; none while writers wait.
  std::string pending_;
  run::Overflow kept_;
  bool held_ = false;
};

}  // namespace gather::report
