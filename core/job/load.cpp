#include "core/job/load.hpp"

#include "core/base/error.hpp"
#include "core/job/check.hpp"
#include "core/job/document.hpp"

#include <algorithm>
#include <memory>

namespace gather::job {

bool Loaded::usable() const {
  return std::ranges::none_of(problems,
                              [](const Problem& p) { return p.severity == Problem::Severity::error; });
}

Loaded load(const Source& source, const Surroundings& surroundings) {
  const Lines lines(body(source));
  Findings findings;
  Loaded loaded;
  if (has_template(body(source)) || !surroundings.vars.empty()) {
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
