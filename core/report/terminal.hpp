/// Where reports write: standard output and standard error, whatever is behind them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gather::report {

/// The two streams. Text appears in the order of the calls where both end up in one place.
class Terminal {
 public:
  virtual ~Terminal() = default;

  /// Throw gather::Error when the text can't be written.
  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  /// Makes what was written so far visible; throws like `out`.
  virtual void flush() = 0;

  /// Width of the terminal behind standard error, now; not set if there is none, or a dumb one.
  virtual std::optional<std::size_t> columns() const = 0;
  /// Whether both streams end in the same terminal, file or pipe.
  virtual bool shared() const = 0;
};

/// Descriptors 1 and 2 of this process. Requires SIGPIPE to be ignored.
///
/// Writes are gathered, up to 64 KiB or until flush(). Failures: Error(stdout_gone) when nobody reads
/// standard output any more; Error(task_failed) for a full disk and the like. When nobody reads standard
/// error, or it is closed, what gather says is dropped and the run goes on: its work may still be wanted.
class StandardTerminal final : public Terminal {
 public:
  StandardTerminal();
  StandardTerminal(const StandardTerminal&) = delete;
  StandardTerminal& operator=(const StandardTerminal&) = delete;
  /// Writes what is left; failures are lost, so call flush() first.
  ~StandardTerminal() override;

  void out(std::string_view text) override;
  void err(std::string_view text) override;
  void flush() override;
  std::optional<std::size_t> columns() const override;
  bool shared() const override { return shared_; }

 private:
  void add(int descriptor, std::string_view text);

  std::string pending_;
  int pending_for_ = 1;  ///< The descriptor that `pending_` belongs to.
  bool err_gone_ = false;
  bool err_is_terminal_;
  bool shared_;
};

}  // namespace gather::report
