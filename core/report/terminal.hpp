/// Where reports write: standard output and standard error, whatever is behind them.
#pragma once

#include "core/report/outlet.hpp"

#include <cstddef>
#include <exception>
#include <functional>
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
  /// As out() and then flush(): for much text, which need not be gathered.
  virtual void out_at_once(std::string_view text) {
    out(text);
    flush();
  }
  /// Makes what was written so far visible; throws like `out`.
  virtual void flush() = 0;

  /// Width of the terminal behind standard error, now; not set if there is none, or a dumb one.
  virtual std::optional<std::size_t> columns() const = 0;
  /// Whether both streams end in the same terminal, file or pipe.
  virtual bool shared() const = 0;
  /// Whether standard output is a terminal, which acts on what it is sent.
  virtual bool out_is_terminal() const = 0;
  /// The same of standard error.
  virtual bool err_is_terminal() const = 0;
  /// Whether a reader has not taken yet what was written.
  virtual bool congested() const { return false; }
  /// While it is held, what goes to a terminal is kept: somebody else has it.
  virtual void hold(bool /*held*/) {}
};

/// Descriptors 1 and 2 of this process. Requires SIGPIPE to be ignored.
///
/// Writes are gathered, up to 64 KiB or until flush(). They wait for a slow reader, until never_wait().
/// Failures: Error(stdout_gone) when nobody reads standard output any more; Error(task_failed) for a full
/// disk and the like. When nobody reads standard error, or it is closed, what gather says is dropped and the
/// run goes on: its work may still be wanted.
class StandardTerminal final : public Terminal {
 public:
  StandardTerminal();
  StandardTerminal(const StandardTerminal&) = delete;
  StandardTerminal& operator=(const StandardTerminal&) = delete;
  /// Writes what is left; failures are lost, so call flush() first.
  ~StandardTerminal() override;

  void out(std::string_view text) override;
  void err(std::string_view text) override;
  void out_at_once(std::string_view text) override;
  void flush() override;
  std::optional<std::size_t> columns() const override;
  bool shared() const override { return shared_; }
  bool out_is_terminal() const override { return out_is_terminal_; }
  bool err_is_terminal() const override { return err_is_terminal_; }
  bool congested() const override { return out_.congested() || err_.congested(); }
  /// Blocks until what was written before is out. Throws like flush().
  void hold(bool held) override;

  /// From now on no call waits for a slow reader. What it has not taken is kept, in the order of the calls,
  /// and `kept` is called with the descriptor to watch; when that is writable, call pass_on(). It may be
  /// called again for one that is watched already.
  void never_wait(std::function<void(int descriptor)> kept);
  /// Writes what was kept for it. False while something is left. Failures are thrown by the next other call.
  bool pass_on(int descriptor) noexcept;
  /// Back to waiting, and waits until all is written. Throws like flush().
  void wait_again();

 private:
  Outlet& for_err() { return shared_ && !out_.waits() ? out_ : err_; }
  void judge(const Outlet& outlet, int error);

  Outlet out_;
  Outlet err_;
  Outlet* last_ = &out_;  ///< Which of them was written to last.
  std::function<void(int descriptor)> kept_;
  std::exception_ptr failure_;  ///< What pass_on() could not throw.
  bool err_gone_ = false;
  bool out_is_terminal_;
  bool err_is_terminal_;
  bool understands_escapes_;
  bool shared_;
};

}  // namespace gather::report
