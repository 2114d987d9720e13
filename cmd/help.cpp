/// `gather help`: the manual's pages, which are part of the program.
#include "cmd/commands.hpp"
#include "cmd/manual.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/base/suggest.hpp"
#include "core/report/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::cmd {
namespace {

// The first line of every page is "# subject: what it is about".
std::string_view about(const ManualPage& page) {
  const std::string_view line = page.text.substr(0, page.text.find('\n'));
  const std::size_t colon = line.find(": ");
  return colon == std::string_view::npos ? line : line.substr(colon + 2);
}

std::string index_of_pages() {
  std::string text = "The manual of gather. `gather help SUBJECT` prints a page.\n\n";
  for (const ManualPage& page : manual_pages())
    text += fmt::format("  {:<14}{}\n", page.subject, about(page));
  return text;
}

std::string_view page_about(const std::string& subject) {
  std::vector<std::string_view> subjects;
  for (const ManualPage& page : manual_pages()) {
    if (page.subject == subject) return page.text;
    subjects.push_back(page.subject);
  }
  const auto near = nearest(subject, subjects);
  throw Error(ExitStatus::usage,
              fmt::format("the manual has no page {}; {}", in_quotes(subject),
                          near ? fmt::format("did you mean {}?", *near) : "`gather help` lists the pages"));
}

ExitStatus print(std::string_view text) {
  report::StandardTerminal terminal;
  terminal.out(text);
  terminal.flush();
  return ExitStatus::success;
}

}  // namespace

ExitStatus execute(const HelpCommand& command) {
  if (command.subject.empty()) return print(index_of_pages());
  return print(page_about(command.subject));
}

ExitStatus execute(const PrintCommand& command) { return print(command.text); }

}  // namespace gather::cmd
