#include "cmd/each_pipe.hpp"

#include "cmd/settings.hpp"
#include "core/async/loop/watch.hpp"
#include "core/async/task/sleep.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/each/input.hpp"
#include "core/process/spool.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gather::cmd {
namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// Whether reading may have to wait for somebody: a pipe, a socket, a terminal. A file never does, nor
/// /dev/null.
bool may_wait(int descriptor) {
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return false;
  return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(descriptor) == 1;
}

process::Descriptor kept(std::string_view piece) {
  process::Descriptor file = process::open_nameless_file();
  while (file && !piece.empty()) {
    const ssize_t count = write(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    piece.remove_prefix(static_cast<std::size_t>(count));
  }
  if (!file || !piece.empty())
    throw Error(ExitStatus::task_failed,
                fmt::format("can't keep a piece of the input in {}: {}; TMPDIR names another place",
                            in_quotes(process::spool_folder()), system_error_text(errno)));
  return file;
}

}  // namespace

each::RecordOptions record_options(const EachCommand& command) {
  each::RecordOptions options;
  if (command.recstart) {
    options.start = each::read_escapes(command.recstart->value, "--recstart");
    options.end.clear();
  }
  if (command.recend) options.end = each::read_escapes(command.recend->value, "--recend");
  if (command.block) options.block = each::read_block_size(command.block->value);
  if (command.arguments_per_command) options.count = whole_number(*command.arguments_per_command, 1);
  if (options.count && (options.start + options.end).empty())
    throw Error(ExitStatus::usage, "-N counts records, and --recend '' says that nothing ends one");
  options.header = command.header.has_value();
  return options;
}

async::Co<> PipedInput::feed(run::Scheduler& scheduler) {
  while (!stopped_) {
    const std::optional<std::string> piece = co_await next_piece();
    if (!piece || stopped_) break;
    if (skip_blank_ && is_blank(*piece)) continue;
    pieces_.emplace(job::TaskId(static_cast<std::uint32_t>(added_)), kept(*piece));
    ++added_;
    add_();
    room_.clear();
    scheduler.grown();
    co_await room_.wait();
  }
  scheduler.complete();
}

void PipedInput::read_all() {
  for (bool more = true; more;) {
    more = read_some();
    while (const auto piece = splitter_.next())
      if (!skip_blank_ || !is_blank(*piece)) add_();
  }
}

int PipedInput::of(job::TaskId task) const {
  const int file = pieces_.at(task).get();
  lseek(file, 0, SEEK_SET);
  return file;
}

void PipedInput::attempt_started(job::TaskId id, int) {
  if (job::index(id) + 1 == added_) room_.set();
}

void PipedInput::task_ended(job::TaskId id, const run::TaskRecord&, std::span<const run::AttemptOutput>) {
  pieces_.erase(id);
  if (job::index(id) + 1 == added_) room_.set();
}

void PipedInput::run_stopping(std::string_view) {
  stopped_ = true;
  room_.set();
}

async::Co<std::optional<std::string>> PipedInput::next_piece() {
  const bool waits = may_wait(STDIN_FILENO);
  for (bool more = true;;) {
    if (auto piece = splitter_.next()) co_return piece;
    if (!more) co_return std::nullopt;
    if (waits)
      co_await async::Readable(STDIN_FILENO);
    else
      co_await async::yield();  // Others get their turn between two reads of a file, too.
    more = read_some();
  }
}

/// Reads what is there, waiting if there is nothing; false at the end.
bool PipedInput::read_some() {
  std::array<char, std::size_t{64} * 1024> buffer;
  ssize_t count = 0;
  do count = read(STDIN_FILENO, buffer.data(), buffer.size());
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return true;
  if (count < 0)
    throw Error(ExitStatus::task_failed,
                fmt::format("can't read standard input: {}", system_error_text(errno)));
  splitter_.add({buffer.data(), static_cast<std::size_t>(count)});
  if (count == 0) splitter_.end();
  return count > 0;
}

}  // namespace gather::cmd
