#include "core/base/quote.hpp"
#include "core/base/utf8.hpp"
#include "core/base/width.hpp"
#include "core/job/document/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::job {
namespace {

/// The most columns of a line that are shown, and how many of them come before the caret when it is cut.
constexpr std::size_t widest = 100;
constexpr std::size_t before_caret = 60;

/// One character as it is shown, and the blanks that keep what is below it aligned.
struct Glyph {
  std::string shown;
  std::string below;
};

Glyph glyph(std::string_view text, const Utf8Step& step) {
  if (step.valid && step.character == '\t') return {"\t", "\t"};
  const std::string_view raw = text.substr(0, step.length);
  std::string shown = inert(raw);
  const std::size_t width = shown == raw ? columns_of(step.character) : shown.size();
  return {std::move(shown), std::string(width, ' ')};
}

/// The last `count` characters of a text. Steps back over continuation bytes, so valid UTF-8 is never torn.
std::string_view last_characters(std::string_view text, std::size_t count) {
  std::size_t from = text.size();
  for (; from > 0 && count > 0; --count) do
      --from;
    while (from > 0 && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80);
  return text.substr(from);
}

/// A line in two parts, and below the second one `^~~~` for its first `length` characters.
std::string marked(std::string_view before, std::string_view after, std::size_t length) {
  std::string shown, below, carets;
  std::size_t width = 0;
  if (before.size() + std::min(after.size(), widest - before_caret) > widest) {
    const std::string_view near = last_characters(before, before_caret);
    if (near.size() < before.size()) shown = "…", below = " ", width = 1;
    before = near;
  }
  for (; !before.empty(); before.remove_prefix(decode_utf8(before).length)) {
    const Glyph next = glyph(before, decode_utf8(before));
    shown += next.shown;
    below += next.below;
    width += next.below.size();
  }
  for (; !after.empty(); after.remove_prefix(decode_utf8(after).length)) {
    const Utf8Step step = decode_utf8(after);
    if (width >= widest && after.size() > step.length) {
      shown += "…";
      break;
    }
    const Glyph next = glyph(after, step);
    shown += next.shown;
    width += next.below.size();
    if (length > 0) {
      carets.append(next.below.size(), '~');
      --length;
    }
  }
  if (carets.empty()) carets = "^";
  carets.front() = '^';
  return fmt::format("{}\n{}{}\n", shown, below, carets);
}

void render_one(std::string& out, const Source& source, const Lines& lines, const Problem& problem) {
  const auto [number, column] = problem.position;
  const bool is_error = problem.severity == Problem::Severity::error;
  out += fmt::format("{}:{}:{}: {}: {}\n", inert(source.name), number, column, is_error ? "error" : "warning",
                     problem.message);
  const std::string_view line = lines.line(number);
  if (!problem.secret && line.find_first_not_of(" \t") != std::string_view::npos) {
    const auto start = static_cast<std::size_t>(line.data() - body(source).data());
    const std::size_t before = lines.offset(problem.position) - start;
    out += marked(line.substr(0, before), line.substr(before), problem.length);
  }
  if (!problem.hint.empty()) out += fmt::format("  hint: {}\n", problem.hint);
}

}  // namespace

std::string render(const Source& source, std::span<const Problem> problems) {
  const Lines lines(body(source));
  std::string out;
  for (const Problem& problem : problems) render_one(out, source, lines, problem);
  return out;
}

std::string render(const Source& source, const Problem& problem) {
  return render(source, std::span(&problem, 1));
}

}  // namespace gather::job
