#include "core/report/terminal.hpp"

#include "core/base/error.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace gather::report {
namespace {

constexpr int stdout_descriptor = 1;
constexpr int stderr_descriptor = 2;

bool same_place(int a, int b) {
  struct stat of_a{};
  struct stat of_b{};
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

/// Whether terminals of this kind know how to erase a line.
bool understands_escapes() {
  const char* kind = std::getenv("TERM");
  return kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

StandardTerminal::StandardTerminal()
    : out_(stdout_descriptor),
      err_(stderr_descriptor),
      out_is_terminal_(::isatty(stdout_descriptor) == 1),
      err_is_terminal_(::isatty(stderr_descriptor) == 1),
      understands_escapes_(understands_escapes()),
      shared_(same_place(stdout_descriptor, stderr_descriptor)) {}

StandardTerminal::~StandardTerminal() {
  try {
    wait_again();
  } catch (const Error&) {  // Whoever cares has called flush().
  }
}

void StandardTerminal::out(std::string_view text) {
  if (last_ == &err_) flush();
  last_ = &out_;
  judge(out_, out_.add(text));
}

void StandardTerminal::out_at_once(std::string_view text) {
  if (last_ == &err_ || failure_) flush();
  last_ = &out_;
  judge(out_, out_.write_all(text));
}

void StandardTerminal::err(std::string_view text) {
  if (err_gone_) return;
  Outlet& outlet = for_err();
  if (last_ != &outlet) flush();
  last_ = &outlet;
  judge(outlet, outlet.add(text));
}

void StandardTerminal::flush() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  judge(*last_, last_->flush());
}

void StandardTerminal::never_wait(std::function<void(int descriptor)> kept) {
  flush();
  kept_ = std::move(kept);
  out_.never_wait();
  if (!shared_) err_.never_wait();
}

void StandardTerminal::hold(bool held) {
  flush();
  if (out_is_terminal_) judge(out_, out_.hold(held));
  if (err_is_terminal_) judge(err_, err_.hold(held));
}

bool StandardTerminal::pass_on(int descriptor) noexcept {
  Outlet& outlet = descriptor == out_.watched() ? out_ : err_;
  try {
    judge(outlet, outlet.pass_on());
  } catch (const Error&) {
    failure_ = std::current_exception();
  }
  return !outlet.congested();
}

void StandardTerminal::wait_again() {
  kept_ = nullptr;
  judge(out_, out_.wait_again());
  judge(err_, err_.wait_again());
  flush();
}

void StandardTerminal::judge(const Outlet& outlet, int error) {
  const bool is_out = &outlet == &out_;
  if (error == 0) {
    if (outlet.congested() && !outlet.held() && kept_) kept_(outlet.watched());
    return;
  }
  if (error == EPIPE && (is_out || shared_))
    throw Error(ExitStatus::stdout_gone, "nobody reads standard output any more");
  if (!is_out && (error == EPIPE || error == EBADF)) {
    err_gone_ = true;
    return;
  }
  throw Error(ExitStatus::task_failed, fmt::format("can't write standard {}: {}", is_out ? "output" : "error",
                                                   system_error_text(error)));
}

std::optional<std::size_t> StandardTerminal::columns() const {
  if (!err_is_terminal_ || !understands_escapes_) return std::nullopt;
  winsize size{};
  if (::ioctl(stderr_descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace gather::report
