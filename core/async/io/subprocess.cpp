#include "core/async/io/subprocess.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/io/child.hpp"
#include "core/async/io/descriptor.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/sleep.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string_view>
#include <utility>

namespace gather::async {
namespace {

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw SubprocessError(explain_descriptors(errno));
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Co<> feed(Stream& in, std::string_view input) {
  try {
    if (!input.empty()) co_await in.send(input);
  } catch (const StreamError& error) {
    if (error.code() != EPIPE && error.code() != ECONNRESET) throw;  // It has read enough, or has ended.
  }
  in.close();
}

Co<> read_to_end(Stream& stream, std::string& all) { all = co_await stream.read(); }

/// One of a child's streams while it is being started.
struct Connected {
  int for_child = ChildSpec::inherited;  // As ChildSpec takes it.
  Descriptor childs_end{};               // Open until the child has its own.
  std::optional<Stream> ours{};
};

Connected connected(Loop& loop, const Stdio& wanted, int target, std::size_t limit) {
  switch (wanted.kind()) {
    case Stdio::Kind::inherit:
      return {};
    case Stdio::Kind::devnull:
      return {.for_child = ChildSpec::null_device};
    case Stdio::Kind::descriptor:
      if (wanted.descriptor() < 0)
        throw std::invalid_argument("a subprocess can't be given a negative descriptor");
      return {.for_child = wanted.descriptor()};
    case Stdio::Kind::as_out:
      throw std::invalid_argument("Stdio::as_out is for err alone");
    case Stdio::Kind::pipe:
      break;
  }
  Pipe pipe = make_pipe();
  const bool we_write = target == STDIN_FILENO;
  Connected result;
  result.childs_end = std::move(we_write ? pipe.reading : pipe.writing);
  result.for_child = result.childs_end.get();
  result.ours.emplace(open_pipe(loop, (we_write ? pipe.writing : pipe.reading).release()));
  result.ours->set_limit(limit);
  return result;
}

ChildSpec spec_of(std::vector<std::string> argv, SubprocessOptions& options) {
  if (argv.empty()) throw std::invalid_argument("a subprocess needs a program");
  ChildSpec spec{.argv = std::move(argv),
                 .environment = options.env ? std::move(*options.env) : current_environment(),
                 .directory = std::move(options.cwd),
                 .new_session = options.start_new_session,
                 .dies_with_parent = options.dies_with_thread,
                 .dispositions = Dispositions::ignored_stay};
  const auto check = [](const std::string& string) {
    if (string.contains('\0')) throw std::invalid_argument("an argument or environment value holds a NUL");
  };
  std::ranges::for_each(spec.argv, check);
  spec.environment.for_each(check);
  if (spec.directory.contains('\0')) throw std::invalid_argument("the working directory holds a NUL");
  return spec;
}

}  // namespace

std::vector<std::string> current_environment() {
  std::vector<std::string> all;
  for (char* const* entry = environ; entry != nullptr && *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

Co<Process> create_subprocess_exec(std::vector<std::string> argv, SubprocessOptions options) {
  TaskCell& task = co_await this_task();
  if (task.cancel_pending()) co_await yield();  // Throws: what is to be stopped needn't be started.
  ChildSpec spec = spec_of(std::move(argv), options);
  if (!can_start_children())
    throw SubprocessError({StartFailure::other, "starting programs needs Linux 5.9 or newer", ENOSYS});
  keep_exit_statuses();

  // What can fail comes before the child, as far as it can. Its ends of the pipes are closed on the way out.
  auto state = std::make_unique<Process::State>();
  Connected in = connected(task.loop(), options.in, STDIN_FILENO, options.limit);
  Connected out = connected(task.loop(), options.out, STDOUT_FILENO, options.limit);
  Connected err;
  if (options.err.kind() != Stdio::Kind::as_out)
    err = connected(task.loop(), options.err, STDERR_FILENO, options.limit);
  else
    err.for_child = out.for_child == ChildSpec::inherited ? STDOUT_FILENO : out.for_child;
  spec.stdin_fd = in.for_child;
  spec.stdout_fd = out.for_child;
  spec.stderr_fd = err.for_child;
  const auto started = start_child(spec);
  if (!started) throw SubprocessError(started.error());
  state->child = std::make_unique<ChildWatch>(task.loop(), *started, options.start_new_session);
  state->in = std::move(in.ours);
  state->out = std::move(out.ours);
  state->err = std::move(err.ours);
  co_return Process(std::move(state));
}

Co<Process> create_subprocess_shell(std::string command, SubprocessOptions options) {
  std::vector<std::string> argv{"/bin/sh", "-c", std::move(command)};
  return create_subprocess_exec(std::move(argv), std::move(options));
}

Process& Process::operator=(Process&& other) noexcept {
  Process moved(std::move(other));
  std::swap(state_, moved.state_);
  return *this;
}

Process::~Process() {
  if (!state_) return;
  if (state_->in && !returncode()) state_->in->abort();  // Nobody is to read what it has not taken.
  ChildWatch::abandon(std::move(state_->child));
}

Stream& Process::checked(std::optional<Stream>& stream, const char* name) {
  if (!stream) throw InvalidState(std::string("the process has no pipe as its ") + name);
  return *stream;
}

bool Process::terminate() { return send_signal(SIGTERM); }
bool Process::kill() { return send_signal(SIGKILL); }

Co<ProcessOutput> Process::communicate(State& state, std::string input) {
  if (!input.empty() && !state.in)
    throw InvalidState("there is input for the process, and no pipe as its in");
  ProcessOutput output;
  std::vector<Co<>> parts;
  if (state.in) parts.push_back(feed(*state.in, input));
  if (state.out) parts.push_back(read_to_end(*state.out, output.out));
  if (state.err) parts.push_back(read_to_end(*state.err, output.err));
  if (parts.size() == 1) {
    co_await std::move(parts.front());
  } else if (!parts.empty()) {
    // Waits for all, also when cancelled: they hold references to what is here.
    const auto ends = co_await gather_settled(std::move(parts));
    for (const auto& end : ends)
      if (!end) std::rethrow_exception(end.error());
  }
  co_await state.child->wait();
  co_return output;
}

Co<int> Process::stop(ChildWatch& child, Duration grace) {
  if (child.returncode()) co_return *child.returncode();
  child.signal_group(SIGTERM);
  child.signal_group(SIGCONT);  // One that is stopped can't even end before it is continued.
  try {
    co_return co_await timeout(grace, [&child]() -> Co<int> { co_return co_await child.wait(); });
  } catch (const TimeoutError&) {
    child.signal_group(SIGKILL);
  }
  co_return co_await child.wait();
}

}  // namespace gather::async
