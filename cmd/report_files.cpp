#include "cmd/report_files.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace gather::cmd {
namespace {

[[noreturn]] void refuse(const ReportFile& report, int error) {
  if (report.path == "-" && error == EPIPE)
    throw Error(ExitStatus::stdout_gone, "the reader of standard output went away");
  throw Error(ExitStatus::task_failed,
              fmt::format("the report {} can't be written: {}",
                          report.path == "-" ? "to standard output" : in_quotes(report.path),
                          system_error_text(error)));
}

}  // namespace

std::vector<ReportFile> report_files(const std::vector<Given>& given,
                                     std::span<const std::string_view> formats) {
  std::vector<ReportFile> reports;
  for (const Given& each : given) {
    const std::size_t equals = each.value.find('=');
    const std::string format = each.value.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == each.value.size())
      throw Error(ExitStatus::usage, fmt::format("{}: {} has no path; write json=PATH, or json=- for stdout",
                                                 each.origin, in_quotes(each.value)));
    if (std::ranges::find(formats, format) == formats.end())
      throw Error(ExitStatus::usage, fmt::format("{}: the format {} is not supported yet; {} is", each.origin,
                                                 in_quotes(format), fmt::join(formats, " or ")));
    reports.push_back({format, each.value.substr(equals + 1)});
  }
  if (std::ranges::count(reports, "-", &ReportFile::path) > 1)
    throw Error(ExitStatus::usage, "two reports can't share standard output; give one of them a path");
  return reports;
}

bool takes_stdout(const std::vector<ReportFile>& reports) {
  return std::ranges::find(reports, "-", &ReportFile::path) != reports.end();
}

void write(const ReportFile& report, const std::function<void(const Sink&)>& produce) {
  const bool to_stdout = report.path == "-";
  const auto close = [to_stdout](FILE* file) { return to_stdout ? std::fflush(file) : std::fclose(file); };
  std::unique_ptr<FILE, decltype(close)> file(to_stdout ? stdout : std::fopen(report.path.c_str(), "we"),
                                              close);
  if (!file) refuse(report, errno);
  produce([&](std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) refuse(report, errno);
  });
  if (close(file.release()) != 0) refuse(report, errno);
}

}  // namespace gather::cmd
