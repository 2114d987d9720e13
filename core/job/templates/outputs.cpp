#include "core/job/templates/outputs.hpp"

#include "core/base/quote.hpp"
#include "core/job/document/parsers.hpp"
#include "core/job/document/pointer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gather::job {
namespace {

std::string_view name_of(ResultPart part) {
  switch (part) {
    case ResultPart::out:
      return "stdout";
    case ResultPart::body:
      return "body";
    case ResultPart::status:
      return "status";
    case ResultPart::header:
      return "header";
    case ResultPart::path:
      return "path";
    case ResultPart::sha256:
      return "sha256";
  }
  return "";
}

/// The text as a document; `findings` has the one error if it is no JSON.
bool parse_result(std::string_view text, Document& document, Findings& findings) {
  const Lines lines(text);
  Composer composer(document, lines, findings);
  return parse_json(text, composer) && document.root() && findings.errors() == 0;
}

std::string why_no_json(std::string_view text, Findings findings) {
  const std::vector<Problem> problems = std::move(findings).located(Lines(text));
  if (problems.empty()) return "it is empty";
  constexpr std::string_view said_already = "this is not JSON: ";
  const std::string& message = problems.front().message;
  return message.starts_with(said_already) ? message.substr(said_already.size()) : message;
}

}  // namespace

std::string OutputSpec::source() const { return std::string(name_of(of)) + (part ? "#" + *part : ""); }

std::expected<std::string, std::string> json_of_text(std::string_view text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    return std::unexpected("it is no UTF-8 text");
  }
}

std::expected<std::string, std::string> value_in(const OutputSpec& spec, std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(fmt::format("it has no output {} ({}): {}", code(spec.name), spec.source(), why));
  };
  if (!spec.part) {
    if (spec.of == ResultPart::out && text.ends_with('\n')) text.remove_suffix(1);
    auto json = json_of_text(text);
    return json ? json : refuse(json.error());
  }
  Document document(text, Format::json);
  Findings findings;
  if (!parse_result(text, document, findings))
    return refuse(fmt::format("its {} can't be read as JSON: {}", name_of(spec.of),
                              why_no_json(text, std::move(findings))));
  const Value value = follow(document.root(), *spec.part);
  if (!value) return refuse(fmt::format("there is nothing at {}", in_quotes(*spec.part)));
  return to_json(value);
}

}  // namespace gather::job
