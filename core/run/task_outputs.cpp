#include "core/run/task_outputs.hpp"

#include "core/async/thread/to_thread.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/job/templates/result_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace gather::run {
namespace {

using Specs = std::vector<job::OutputSpec>;
using Values = std::expected<std::vector<job::OutputValue>, Outcome>;
using Text = std::expected<std::string, std::string>;

std::unexpected<std::string> too_long(std::string_view what, std::uint64_t size) {
  return std::unexpected(
      fmt::format("{} has {} bytes, and outputs are taken of {} at most", what, size, job::longest_result));
}

struct ReadText {
  Text operator()(const std::shared_ptr<const Output>& output) const {
    std::string text;
    if (!output) return text;
    if (output->size() > job::longest_result) return too_long("its standard output", output->size());
    output->read([&](std::string_view piece) { text += piece; });
    return text;
  }
  Text operator()(std::string& body) const { return std::move(body); }
  Text operator()(const std::filesystem::path& path) const {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error)
      return std::unexpected(fmt::format("{} can't be read: {}", inert(path.native()), error.message()));
    if (size > job::longest_result) return too_long(inert(path.native()), size);
    std::ifstream file(path, std::ios::binary);
    std::string text(size, '\0');
    if (!file.read(text.data(), static_cast<std::streamsize>(size)))
      return std::unexpected(fmt::format("{} can't be read", inert(path.native())));
    return text;
  }
};

std::expected<std::shared_ptr<const job::ResultValue>, std::string> value_of(const job::OutputSpec& spec,
                                                                             Text json) {
  if (!json) return std::unexpected(std::move(json.error()));
  auto value = job::ResultValue::of(std::move(*json));
  if (value) return value;
  return std::unexpected(
      fmt::format("it has no output `{}` ({}): {}", spec.name, spec.source(), value.error()));
}

/// Blocks as long as the disk and the parsing do. Stops early where nobody wants it any more.
Values values_of(const Specs& specs, Given given, const std::stop_token& stop) {
  std::string text;
  if (std::ranges::any_of(specs, &job::OutputSpec::reads_text)) {
    auto read = std::visit(ReadText{}, given.text);
    if (!read) return std::unexpected(LocalFailure{std::move(read.error())});  // Another try is no shorter.
    text = std::move(*read);
  }
  job::ResultText result(text);
  std::vector<job::OutputValue> values;
  const auto json_or_null = [](const std::string& value) {
    return value.empty() ? Text("null") : job::json_of_text(value);
  };
  for (const job::OutputSpec& spec : specs) {
    Text json = "null";
    switch (spec.of) {
      case job::ResultPart::out:
      case job::ResultPart::body:
        json = result.value_of(spec);
        break;
      case job::ResultPart::status:
        if (given.status) json = fmt::to_string(*given.status);
        break;
      case job::ResultPart::header: {
        const auto value = given.status && given.header ? given.header(*spec.part) : std::nullopt;
        if (value) json = job::json_of_text(*value);
        // An answer that says no more than "unchanged" need not repeat what it said before.
        if (given.status && *given.status != 304 && !value)
          json = std::unexpected(fmt::format("it has no output `{}`: the answer has no header {}", spec.name,
                                             inert(*spec.part)));
        break;
      }
      case job::ResultPart::path:
        json = json_or_null(given.path.native());
        break;
      case job::ResultPart::sha256:
        json = json_or_null(given.sha256);
        break;
    }
    auto value = value_of(spec, std::move(json));
    if (!value) return std::unexpected(NotAsExpected{std::move(value.error())});
    if (stop.stop_requested()) return std::unexpected(Stopped{"cancelled"});
    values.push_back({spec.name, std::move(*value)});
  }
  return values;
}

std::uint64_t length(const Given& given) {
  if (const auto* const output = std::get_if<std::shared_ptr<const Output>>(&given.text))
    return *output ? (*output)->size() : 0;
  if (const auto* const body = std::get_if<std::string>(&given.text)) return body->size();
  return job::longest_result;  // On the disk.
}

}  // namespace

bool needs_text(const job::Task& task) {
  return task.outputs && std::ranges::any_of(*task.outputs, &job::OutputSpec::reads_text);
}

bool needs(const job::Task& task, job::ResultPart part) {
  return task.outputs && std::ranges::find(*task.outputs, part, &job::OutputSpec::of) != task.outputs->end();
}

async::Co<Values> outputs_of(const job::Task& task, Given given) {
  constexpr std::uint64_t short_text = std::uint64_t{16} * 1024;
  if (!needs_text(task) || length(given) <= short_text)
    co_return values_of(*task.outputs, std::move(given), {});
  co_return co_await async::to_thread(
      [specs = task.outputs](const std::stop_token& stop, Given all) {
        return values_of(*specs, std::move(all), stop);
      },
      std::move(given));
}

}  // namespace gather::run
