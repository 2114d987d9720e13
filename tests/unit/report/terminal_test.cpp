#include "core/report/terminal.hpp"

#include "core/base/error.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

using gather::Error;
using gather::ExitStatus;
using gather::report::StandardTerminal;

namespace {

/// Puts other descriptors in the places of 1 and 2 while a test runs; closes what it is given.
class Redirected {
 public:
  Redirected(int out, int err)
      : saved_out_(::dup(1)), saved_err_(::dup(2)), sigpipe_(std::signal(SIGPIPE, SIG_IGN)) {
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::close(out);
    if (err != out) ::close(err);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;
  ~Redirected() {
    ::dup2(saved_out_, 1);
    ::dup2(saved_err_, 2);
    ::close(saved_out_);
    ::close(saved_err_);
    std::signal(SIGPIPE, sigpipe_);
  }

 private:
  int saved_out_;
  int saved_err_;
  void (*sigpipe_)(int);
};

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  return {ends[0], ends[1]};
}

int null() { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); }

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer;
  for (ssize_t got; (got = ::read(descriptor, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(descriptor);
  return text;
}

/// What writing a line to each stream and flushing says; "" when nothing is thrown.
std::pair<std::string, ExitStatus> error_of(int out, int err) {
  const Redirected redirected(out, err);
  StandardTerminal terminal;
  try {
    terminal.err("line\n");
    terminal.out("line\n");
    terminal.flush();
  } catch (const Error& error) {
    return {error.what(), error.status()};
  }
  return {"", ExitStatus::success};
}

}  // namespace

TEST_CASE("text reaches both streams, in order where they are one", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  {
    const Redirected redirected(pipe.write_end, ::dup(pipe.write_end));
    StandardTerminal terminal;
    CHECK(terminal.shared());
    CHECK(!terminal.columns());
    terminal.out("a\n");
    terminal.err("b\n");
    terminal.out("c\n");  // The destructor writes it.
  }
  CHECK(read_all(pipe.read_end) == "a\nb\nc\n");
}

TEST_CASE("a reader of standard output that went away stops the run", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  ::close(pipe.read_end);
  CHECK(error_of(pipe.write_end, null()) ==
        std::pair(std::string("nobody reads standard output any more"), ExitStatus::stdout_gone));
}

TEST_CASE("nobody need read standard error", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  ::close(pipe.read_end);
  CHECK(error_of(null(), pipe.write_end).first.empty());
}

TEST_CASE("both streams into one pipe that nobody reads is standard output gone", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  ::close(pipe.read_end);
  CHECK(error_of(pipe.write_end, ::dup(pipe.write_end)).second == ExitStatus::stdout_gone);
}

TEST_CASE("a full disk is an error that names the stream", "[report][terminal]") {
  CHECK(error_of(::open("/dev/full", O_WRONLY | O_CLOEXEC), null()) ==
        std::pair(std::string("can't write standard output: No space left on device"),
                  ExitStatus::task_failed));
  CHECK(error_of(null(), ::open("/dev/full", O_WRONLY | O_CLOEXEC)).first ==
        "can't write standard error: No space left on device");
}

TEST_CASE("a non-blocking pipe that is full is waited for", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  ::fcntl(pipe.write_end, F_SETFL, O_NONBLOCK);
  const std::string text(1'000'000, 'x');
  std::string received;
  std::thread reader([&] { received = read_all(pipe.read_end); });
  {
    const Redirected redirected(pipe.write_end, null());
    StandardTerminal terminal;
    terminal.out(text);
    terminal.flush();
  }
  reader.join();
  CHECK(received == text);
}

TEST_CASE("once it never waits, what a slow reader has not taken is kept in order, and told",
          "[report][terminal]") {
  const Pipe pipe = make_pipe();
  const bool one_place = GENERATE(true, false);
  std::string received;
  std::thread reader;
  std::string sent;
  {
    const Redirected redirected(pipe.write_end, one_place ? ::dup(pipe.write_end) : null());
    StandardTerminal terminal;
    int watched = -1;
    terminal.never_wait([&](int descriptor) { watched = descriptor; });
    for (int i = 0; i < 30; ++i) {  // Far more than a pipe holds, and than is kept in memory.
      sent += std::string(50'000, static_cast<char>('a' + i % 26));
      terminal.out(std::string(50'000, static_cast<char>('a' + i % 26)));
      terminal.err("e");
      if (one_place) sent += "e";
      terminal.flush();
    }
    CHECK(terminal.congested());
    CHECK(!terminal.pass_on(watched));  // Nobody has read.
    reader = std::thread([&] { received = read_all(pipe.read_end); });
    pollfd writable{.fd = watched, .events = POLLOUT, .revents = 0};
    REQUIRE(::poll(&writable, 1, 10'000) == 1);
    terminal.pass_on(watched);
    terminal.wait_again();
    CHECK(!terminal.congested());
  }
  reader.join();
  CHECK((received == sent));
}

TEST_CASE("never waiting leaves the descriptor that others share as it was", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  {
    const Redirected redirected(pipe.write_end, null());
    StandardTerminal terminal;
    terminal.never_wait([](int) {});
    CHECK((::fcntl(1, F_GETFL) & O_NONBLOCK) == 0);
    terminal.wait_again();
  }
  ::close(pipe.read_end);
}

TEST_CASE("a reader that goes away while something is kept is told by the next call", "[report][terminal]") {
  const Pipe pipe = make_pipe();
  const Redirected redirected(pipe.write_end, null());
  StandardTerminal terminal;
  int watched = -1;
  terminal.never_wait([&](int descriptor) { watched = descriptor; });
  terminal.out(std::string(200'000, 'x'));
  REQUIRE(watched >= 0);
  ::close(pipe.read_end);
  CHECK(terminal.pass_on(watched));  // Nothing is left that anybody would take.
  try {
    terminal.flush();
    FAIL("nobody told");
  } catch (const Error& error) {
    CHECK(error.status() == ExitStatus::stdout_gone);
  }
}
