#include "cmd/output_flags.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

namespace gather::cmd {
namespace {

[[noreturn]] void refuse(const Given& given, std::string_view words) {
  throw Error(ExitStatus::usage,
              fmt::format("{}: {}: one of {}", given.origin, in_quotes(given.value), words));
}

}  // namespace

void set_output(const std::optional<Given>& output, bool keep_order, report::PlainOptions& options) {
  const std::string mode = output ? output->value : keep_order ? "keep-order" : "group";
  if (mode == "stream")
    options.streamed = true;
  else if (mode == "keep-order")
    options.in_order = true;
  else if (mode == "errors")
    options.shown = report::Shown::failures;
  else if (mode == "quiet")
    options.shown = report::Shown::none;
  else if (mode != "group")
    refuse(*output, "stream, group, keep-order, errors, quiet");
  if (keep_order && mode != "keep-order")
    throw Error(ExitStatus::usage,
                fmt::format("{}: {} and -k (--keep-order) contradict each other; give one of them",
                            output->origin, mode));
}

report::Progress progress(const std::optional<Given>& flag) {
  const std::string word = flag ? flag->value : "auto";
  if (word == "auto" || word == "bar") return report::Progress::bar;
  if (word == "lines") return report::Progress::lines;
  if (word == "none") return report::Progress::none;
  refuse(*flag, "auto, bar, lines, none");
}

void set_progress(const std::optional<Given>& flag, report::PlainOptions& options) {
  if (!flag || flag->value == "auto") return;
  const report::Progress wanted = progress(flag);
  options.progress = wanted == report::Progress::bar;
  options.lines = wanted == report::Progress::lines;
}

}  // namespace gather::cmd
