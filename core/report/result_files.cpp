#include "core/report/result_files.hpp"

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <variant>

namespace gather::report {
namespace {

constexpr std::size_t longest_name = 200;

struct ShellStatus {
  int operator()(const run::Passed&) const { return 0; }
  int operator()(const run::Exited& exited) const { return exited.code; }
  int operator()(const run::Signalled& signalled) const { return 128 + signalled.number; }
  int operator()(const run::TimedOut&) const { return 124; }
  int operator()(const run::NotStarted&) const { return 127; }
  int operator()(const run::Stopped&) const { return 128 + SIGTERM; }
  template <class Other>
  int operator()(const Other&) const {
    return 1;
  }
};

[[noreturn]] void refuse(ExitStatus status, const std::filesystem::path& path, int error) {
  throw Error(status, fmt::format("the result {} can't be written: {}", in_quotes(path.string(), 200),
                                  system_error_text(error)));
}

/// Writes what `fill` gives to its sink.
template <class Fill>
void write_file(const std::filesystem::path& path, Fill fill) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) refuse(ExitStatus::task_failed, path, errno);
  int error = 0;
  fill([&](std::string_view piece) {
    while (error == 0 && !piece.empty()) {
      const ssize_t count = write(file, piece.data(), piece.size());
      if (count < 0 && errno != EINTR) error = errno;
      if (count > 0) piece.remove_prefix(static_cast<std::size_t>(count));
    }
  });
  if (close(file) != 0 && error == 0) error = errno;
  if (error != 0) refuse(ExitStatus::task_failed, path, error);
}

}  // namespace

std::string safe_name(std::string_view text) {
  if (text.empty()) return "\\e";
  if (text == "." || text == "..") return "\\" + std::string(text);
  std::string name;
  for (const char c : text) {
    if (c == '/')
      name += "\\_";
    else if (c == '\\')
      name += "\\\\";
    else if (c == '\n')
      name += "\\n";
    else if (c == '\t')
      name += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      name += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      name += c;
  }
  if (name.size() <= longest_name) return name;
  return fmt::format("{}\\{:016x}", std::string_view(name).substr(0, longest_name), stable_hash(text));
}

ResultFiles::ResultFiles(std::filesystem::path directory, std::function<Place(job::TaskId)> place)
    : directory_(std::move(directory)), place_(std::move(place)) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (!error && !std::filesystem::is_directory(directory_, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (!error && access(directory_.c_str(), W_OK) != 0) error = std::error_code(errno, std::system_category());
  if (error) refuse(ExitStatus::usage, directory_, error.value());
}

void ResultFiles::task_ended(job::TaskId id, const run::TaskRecord& task,
                             std::span<const run::AttemptOutput> outputs) {
  if (task.attempts.empty()) return;
  const Place place = place_(id);
  const std::filesystem::path folder = folder_of(place);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) refuse(ExitStatus::task_failed, folder, error.value());
  const auto written = [&](const auto& output) {
    return [&output](const run::Output::Sink& sink) {
      if (output) output->read(sink);
    };
  };
  const run::AttemptOutput none;
  const run::AttemptOutput& last = outputs.empty() ? none : outputs.back();
  write_file(folder / "stdout", written(last.out));
  write_file(folder / "stderr", written(last.err));
  const auto number = [](auto value) {
    return [text = fmt::format("{}\n", value)](const auto& sink) { sink(text); };
  };
  write_file(folder / "seq", number(place.sequence));
  write_file(folder / "exit", number(std::visit(ShellStatus(), task.attempts.back().outcome)));
}

std::filesystem::path ResultFiles::folder_of(const Place& place) {
  std::filesystem::path folder = directory_;
  for (const std::string& part : place.parts) folder /= safe_name(part);
  // The same arguments twice are two results.
  std::filesystem::path unused = folder;
  for (int number = 2; !taken_.insert(unused.string()).second; ++number)
    unused = folder.string() + fmt::format("\\{}", number);
  return unused;
}

}  // namespace gather::report
