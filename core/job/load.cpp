#include "core/job/load.hpp"

#include "core/base/error.hpp"
#include "core/job/check/check.hpp"
#include "core/job/document/document.hpp"

#include <algorithm>
#include <memory>

namespace gather::job {

namespace {

bool holds_template(Value value) {  // Recursion is safe: a document is at most `deepest` levels deep.
  if (value.is_scalar()) return has_template(value.text());
  for (Value child = value.first(); child; child = child.next())
    if (holds_template(child)) return true;
  return false;
}

/// Whether templates have to be looked for: nearly every file has none, and is read without.
bool needs_filling(const Source& source, const Lines& lines, const Surroundings& surroundings) {
  if (has_template(body(source)) || !surroundings.vars.empty()) return true;
  if (!body(source).contains('\\')) return false;
  Findings unheard;  // Perhaps one is written with an escape.
  Document document(body(source), source.format);
  return parse(source, lines, document, unheard) && document.root() && holds_template(document.root());
}

}  // namespace

bool Loaded::usable() const {
  return std::ranges::none_of(problems,
                              [](const Problem& p) { return p.severity == Problem::Severity::error; });
}

Loaded load(const Source& source, const Surroundings& surroundings) {
  const Lines lines(body(source));
  Findings findings;
  Loaded loaded;
  if (needs_filling(source, lines, surroundings)) {
    const auto file = std::make_shared<FilledFile>(source, surroundings);
    if (file->parse_and_fill(lines, findings))
      loaded.job = check(file->root(), source, lines, findings, file);
  } else {
    Document document(body(source), source.format);
    if (parse(source, lines, document, findings))
      loaded.job = check(document.root(), source, lines, findings);
  }
  loaded.problems = std::move(findings).located(lines);
  return loaded;
}

Loaded load_or_throw(const Source& source, const Surroundings& surroundings) {
  Loaded loaded = load(source, surroundings);
  if (!loaded.usable()) throw Error(ExitStatus::usage, render(source, loaded.problems));
  return loaded;
}

std::string document_json(const Source& source) {
  const Lines lines(body(source));
  Findings findings;
  Document document(body(source), source.format);
  if (!parse(source, lines, document, findings))
    throw Error(ExitStatus::usage, render(source, std::move(findings).located(lines)));
  return (document.root() ? to_json(document.root(), 2) : "null") + "\n";
}

}  // namespace gather::job
