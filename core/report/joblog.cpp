#include "core/report/joblog.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <utility>

namespace gather::report {
namespace {

struct Ending {
  int exit;
  int signal;
};

// What parallel writes; -1 where no exit status came.
struct EndingOf {
  Ending operator()(const run::Passed&) const { return {0, 0}; }
  Ending operator()(const run::Exited& exited) const { return {exited.code, 0}; }
  Ending operator()(const run::Signalled& signalled) const { return {0, signalled.number}; }
  Ending operator()(const run::TimedOut& timed_out) const {
    return {-1, timed_out.killed ? SIGKILL : SIGTERM};
  }
  Ending operator()(const run::NotStarted&) const { return {127, 0}; }
  template <class Other>
  Ending operator()(const Other&) const {
    return {1, 0};
  }
};

std::vector<std::string_view> fields_of(std::string_view line, std::size_t most) {
  std::vector<std::string_view> fields;
  while (fields.size() + 1 < most) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos) break;
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
  return fields;
}

}  // namespace

std::string joblog_command(std::string_view command) { return inert(command); }

void Joblog::run_started(const job::Job&, const run::Record& record) { began_ = record.began; }

void Joblog::task_ended(job::TaskId id, const run::TaskRecord& task, std::span<const run::AttemptOutput>) {
  if (task.attempts.empty() || task.state == run::State::cancelled) return;
  const run::AttemptRecord& attempt = task.attempts.back();
  const Ending ending = std::visit(EndingOf(), attempt.outcome);
  const auto seconds = [](auto length) { return std::chrono::duration<double>(length).count(); };
  const Entry entry = entry_(id);
  sink_(fmt::format("{}\t:\t{:.3f}\t{:10.3f}\t0\t0\t{}\t{}\t{}\n", entry.sequence,
                    seconds(began_.time_since_epoch()) + seconds(attempt.start), seconds(attempt.length),
                    ending.exit, ending.signal, joblog_command(entry.command)));
}

std::map<std::string, std::size_t, std::less<>> read_joblog(std::string_view text, std::string_view path,
                                                            Resume resume) {
  constexpr std::size_t columns = 9;
  std::map<std::string, std::size_t, std::less<>> done;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty() || (number == 1 && line.starts_with("Seq\t"))) continue;
    const auto fields = fields_of(line, columns);
    if (fields.size() != columns)
      throw Error(ExitStatus::usage,
                  fmt::format("{}:{}: this is no line of a job log: it has {} columns of {}", inert(path),
                              number, fields.size(), columns));
    if (resume == Resume::passed && (fields[6] != "0" || fields[7] != "0")) continue;
    ++done[std::string(fields.back())];
  }
  return done;
}

}  // namespace gather::report
