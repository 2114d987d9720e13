/// Reports that were asked for with --report or --export-json, and where they go.
#pragma once

#include "cmd/options.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gather::cmd {

struct ReportFile {
  std::string format = "json";
  std::string path;  ///< `-` is standard output.
};

/// Reads FORMAT=PATH values, of one of these formats. Throws Error(usage) for a format that is none, or two
/// reports for standard output.
std::vector<ReportFile> report_files(const std::vector<Given>& given,
                                     std::span<const std::string_view> formats);

bool takes_stdout(const std::vector<ReportFile>& reports);

using Sink = std::function<void(std::string_view)>;

/// Lets `produce` write the report in pieces. Throws Error(task_failed) that names the path if it can't be
/// written, or Error(stdout_gone) if nobody reads standard output any more.
void write(const ReportFile& report, const std::function<void(const Sink&)>& produce);

}  // namespace gather::cmd
