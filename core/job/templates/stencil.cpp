#include "core/job/templates/stencil.hpp"

#include "core/base/quote.hpp"
#include "core/job/check/tasks.hpp"
#include "core/job/document/pointer.hpp"
#include "core/job/templates/fill.hpp"

#include <fmt/format.h>

#include <cassert>

namespace gather::job {
namespace {

/// Every late text in `value`. (At most `deepest` levels deep.)
void find_late(Value value, std::vector<Value>& found) {
  if (value.is_scalar()) {
    if (value.late() && !value.text().empty()) found.push_back(value);  // Empty: it has a fault.
    return;
  }
  for (Value child = value.first(); child; child = child.next()) find_late(child, found);
}

}  // namespace

const Lines& FilledFile::lines() const {
  if (!lines_) lines_.emplace(body(source_));
  return *lines_;
}

bool FilledFile::parse_and_fill(const Lines& lines, Findings& findings) {
  Document written(body(source_), source_.format);
  if (!parse(source_, lines, written, findings)) return false;
  const Value root = written.root();
  if (!root) return true;
  if (root.is_map()) {
    const Value vars = member_of(root, "vars");
    if (vars && !fill_vars(vars, lines, findings)) return false;
    for (const auto& [name, value] : surroundings_.vars)
      if (!vars || !vars.is_map() || !member_of(vars, name))
        findings.error((vars ? vars : root).extent(),
                       fmt::format("{} was given, and `vars` has no such name", code(name)),
                       "vars that can be given from outside stand in the file with what they usually are");
  }
  filled_.emplace(body(source_), source_.format);
  Composer composer(*filled_, lines, findings);
  Filler filler(Filler::Of::file, scope_, composer);
  filler.copy(root, Place::top);
  return !filler.broken();
}

// In their order: each may name those before it.
bool FilledFile::fill_vars(Value written, const Lines& lines, Findings& findings) {
  if (!written.is_map()) return true;  // Which the check finds.
  vars_.emplace(body(source_), source_.format);
  Composer composer(*vars_, lines, findings);
  composer.open(Kind::map, written.extent());
  Filler filler(Filler::Of::file, scope_, composer);
  for (const auto [key, value] : Members(written)) {
    if (scope_.is_given(key.text())) continue;
    composer.scalar(key.text(), key.extent(), key.plain());
    const Value filled(*vars_, filler.copy(value, Place::other));
    if (filler.broken()) return false;
    std::vector<Value> late;
    find_late(filled, late);
    for (const Value one : late)
      findings.error(one.extent(), "`vars` are filled in before anything runs",
                     "name results where they are used, in the keys of a task");
    scope_.add_var(key.text(), filled);
  }
  composer.close();
  return true;
}

std::vector<Stencil::Named> Stencil::results() const {
  std::vector<Value> late;
  find_late(task_.value, late);
  std::vector<Named> named;
  for (const Value at : late) {
    const auto text = parse_template(at.text());
    assert(text && "it has been read before");
    for (const auto& piece : text->pieces)
      if (const auto* const path = std::get_if<Path>(&piece))
        if (auto result = result_named(*path)) named.push_back({std::move(*result), at});
  }
  return named;
}

std::expected<Task, std::string> Stencil::fill(const Task& task, const Results& results,
                                               const std::string& run_id) const {
  Findings findings;
  const Lines lines("");  // Asked only about keys that come twice, and none does.
  const Source& source = file_->source();
  Document document(body(source), source.format);
  Composer composer(document, lines, findings);
  RunScope scope(file_->scope(), results, run_id);
  Filler filler(Filler::Of::task, scope, composer);
  const Value value(document, filler.copy(task_.value, Place::task));
  if (!filler.broken() && findings.errors() == 0) {
    Task filled = check_task_again({task_.key, value}, defaults_, findings);
    if (findings.errors() == 0) {
      filled.position = task.position;
      filled.needs = task.needs;
      filled.pools = task.pools;
      if (task.input && std::holds_alternative<StandardInput::Of>(task.input->from))
        filled.input = task.input;
      filled.stencil = task.stencil;
      return filled;
    }
  }
  for (const Problem& problem : std::move(findings).located(file_->lines()))
    if (problem.severity == Problem::Severity::error)
      return std::unexpected(fmt::format("{} ({}:{}:{})", problem.message, inert(source.name),
                                         problem.position.line, problem.position.column));
  return std::unexpected("its templates can't be filled in");
}

}  // namespace gather::job
