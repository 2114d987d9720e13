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

}  // namespace

std::string OutputSpec::source() const { return std::string(name_of(of)) + (part ? "#" + *part : ""); }

std::expected<std::string, std::string> json_of_text(std::string_view text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    return std::unexpected("it is no UTF-8 text");
  }
}

struct ResultText::Parsed {
  explicit Parsed(std::string_view text) : document(text, Format::json) {
    const Lines lines(text);
    Findings findings;
    Composer composer(document, lines, findings);
    if (parse_json(text, composer) && document.root() && findings.errors() == 0) return;
    const std::vector<Problem> problems = std::move(findings).located(lines);
    if (problems.empty()) {
      fault = "it is empty";
      return;
    }
    constexpr std::string_view said_already = "this is not JSON: ";
    fault = problems.front().message;
    if (fault->starts_with(said_already)) fault->erase(0, said_already.size());
  }

  Document document;
  std::optional<std::string> fault;  // Why it is none.
};

ResultText::ResultText(std::string_view text) : text_(text) {}

ResultText::~ResultText() = default;

std::expected<std::string, std::string> ResultText::value_of(const OutputSpec& spec) {
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(fmt::format("it has no output {} ({}): {}", code(spec.name), spec.source(), why));
  };
  if (!spec.part) {
    const bool ends_line = spec.of == ResultPart::out && text_.ends_with('\n');
    auto json = json_of_text(text_.substr(0, text_.size() - (ends_line ? 1 : 0)));
    return json ? json : refuse(json.error());
  }
  if (!parsed_) parsed_ = std::make_unique<Parsed>(text_);
  if (parsed_->fault)
    return refuse(fmt::format("its {} can't be read as JSON: {}", name_of(spec.of), *parsed_->fault));
  const Value value = follow(parsed_->document.root(), *spec.part);
  if (!value) return refuse(fmt::format("there is nothing at {}", in_quotes(*spec.part)));
  return to_json(value);
}

}  // namespace gather::job
