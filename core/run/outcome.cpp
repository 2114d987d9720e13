#include "core/run/outcome.hpp"

#include <fmt/format.h>

#include <csignal>

namespace gather::run {
namespace {

/// "SIGSEGV", or "signal 42" where there is no name that everyone knows.
std::string signal_name(int number) {
  switch (number) {
    case SIGHUP:
      return "SIGHUP";
    case SIGINT:
      return "SIGINT";
    case SIGQUIT:
      return "SIGQUIT";
    case SIGILL:
      return "SIGILL";
    case SIGTRAP:
      return "SIGTRAP";
    case SIGABRT:
      return "SIGABRT";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGKILL:
      return "SIGKILL";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGUSR2:
      return "SIGUSR2";
    case SIGPIPE:
      return "SIGPIPE";
    case SIGALRM:
      return "SIGALRM";
    case SIGTERM:
      return "SIGTERM";
    case SIGXCPU:
      return "SIGXCPU";
    case SIGXFSZ:
      return "SIGXFSZ";
    case SIGSYS:
      return "SIGSYS";
    default:
      return fmt::format("signal {}", number);
  }
}

/// A limit as people name it, "2 s" and "1.5 s", where a measurement would be "2.00 s".
std::string show_limit(Duration limit) {
  std::string text = show(limit);
  const std::size_t point = text.find('.');
  const std::size_t blank = text.find(' ');
  if (point == std::string::npos || blank == std::string::npos) return text;
  std::size_t end = blank;
  while (text[end - 1] == '0') --end;
  if (end == point + 1) end = point;
  return text.erase(end, blank - end);
}

struct InWords {
  std::string operator()(const Passed&) const { return "passed"; }
  std::string operator()(const Exited& exited) const { return fmt::format("exit status {}", exited.code); }
  std::string operator()(const Signalled& signalled) const {
    return fmt::format("killed by {}{}", signal_name(signalled.number),
                       signalled.core_dumped ? " (core dumped)" : "");
  }
  std::string operator()(const TimedOut& timed_out) const {
    return fmt::format("timed out after {}{}", show_limit(timed_out.limit), killed(timed_out.killed));
  }
  std::string operator()(const NotStarted& not_started) const { return "can't start: " + not_started.why; }
  std::string operator()(const UnexpectedStatus& answer) const {
    std::string text = fmt::format("HTTP status {}", answer.status);
    if (answer.retry_after)
      text +=
          fmt::format(" (retry after {}{})", show_limit(*answer.retry_after),
                      *answer.retry_after > longest_retry_after
                          ? fmt::format(", and gather waits for {} at most", show_limit(longest_retry_after))
                          : "");
    return answer.detail.empty() ? text : fmt::format("{}: {}", text, answer.detail);
  }
  std::string operator()(const TransferFailed& failed) const {
    return fmt::format("transfer failed ({}): {}", failed.kind, failed.why);
  }
  std::string operator()(const ChecksumMismatch& mismatch) const {
    return fmt::format("checksum is {}, expected {}", mismatch.actual, mismatch.expected);
  }
  std::string operator()(const NotAsExpected& answer) const { return "not as expected: " + answer.why; }
  std::string operator()(const LocalFailure& failure) const { return failure.why; }
  std::string operator()(const Stopped& stopped) const {
    return fmt::format("{}{}", stopped.why, killed(stopped.killed));
  }

  static std::string_view killed(bool yes) { return yes ? ", and was killed after its grace" : ""; }
};

}  // namespace

std::string describe(const Outcome& outcome) { return std::visit(InWords{}, outcome); }

}  // namespace gather::run
