// Runs the examples of the manual and of README.md, so that they stay true. What an example is:
//
//     File `NAME`:     the fenced block that follows is written to that file
//     ```console       every line after "$ " is run by sh, in one folder for the whole page; the lines below
//     it
//                      are what it prints, standard output and error together
//
// `…` in an expected line stands for anything, and a line of `…` alone for any lines. What is never the same
// twice (times, ratios, bars, chance) is compared as being there, not for what it says. The page's folder has
// samples/, with delays of seconds cut to a tenth, and a web_server runs where the page says port 8711.
#include "tests/cli/pages.hpp"
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <regex>
#include <span>
#include <string_view>

using namespace gather::test;

namespace {

namespace fs = std::filesystem;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// ---- Comparing what is printed with what a page says

bool is_optional(const std::string& line) {  // Printed by a busy machine only.
  return line.starts_with("loop lag ") || line.starts_with("  loop lag ") ||
         line.starts_with("  most slowed:");
}

std::string without_figures(const std::string& line) {
  static const std::regex range(R"( \(\d+ to \d+ %\)$)");  // Absent if both are the same.
  static const std::regex chance(R"(^pair (\d+ of \d+)  a?sync)");
  static const std::regex figure(R"(\d+(\.\d+)? (ms|s)\b|\d+m\d\ds\b|\d+(\.\d+)?x\b|\d+(\.\d+)? %|\d+\.\d+)"
                                 R"(|\bseed \d+|\bprocesses=\d+)");
  static const std::regex blanks(" +");
  std::string bare = std::regex_replace(line, range, "");
  for (const char* part_of_bar : {"█", "░", "▏"}) bare = replaced(bare, part_of_bar, "");
  bare = std::regex_replace(bare, chance, "pair $1 #");
  bare = std::regex_replace(bare, figure, "#");
  if (bare == line) return line;
  bare = std::regex_replace(bare, blanks, " ");  // Figures are padded.
  return bare.ends_with(' ') ? bare.substr(0, bare.size() - 1) : bare;
}

// "slowest   a #, b #" with what is listed in alphabetical order: which of two was slower is chance.
std::string in_any_order(const std::string& line) {
  static const std::regex comma(", ?");
  const std::size_t list = std::min(line.find(' '), line.size());
  std::vector<std::string> items(
      std::sregex_token_iterator(line.begin() + static_cast<std::ptrdiff_t>(list), line.end(), comma, -1),
      {});
  for (std::string& item : items) item = item.substr(item.find_first_not_of(' '));
  std::ranges::sort(items);
  return fmt::format("{} {}", line.substr(0, list), fmt::join(items, ", "));
}

Lines comparable(Lines lines, bool measured) {
  if (!measured) return lines;
  std::erase_if(lines, is_optional);
  for (std::string& line : lines) {
    line = without_figures(line);
    if (line.starts_with("slowest ")) line = in_any_order(line);
  }
  return lines;
}

constexpr std::string_view anything = "…";

bool fits(std::string_view wanted, std::string_view line) {
  const std::size_t gap = wanted.find(anything);
  if (gap == std::string_view::npos) return wanted == line;
  if (!line.starts_with(wanted.substr(0, gap))) return false;
  wanted.remove_prefix(gap + anything.size());
  for (line.remove_prefix(gap);; line.remove_prefix(1)) {
    if (fits(wanted, line)) return true;
    if (line.empty()) return false;
  }
}

bool fit(std::span<const std::string> wanted, std::span<const std::string> lines) {
  if (wanted.empty()) return lines.empty();
  if (wanted.front() == anything) {
    for (std::size_t skipped = 0; skipped <= lines.size(); ++skipped)
      if (fit(wanted.subspan(1), lines.subspan(skipped))) return true;
    return false;
  }
  return !lines.empty() && fits(wanted.front(), lines.front()) && fit(wanted.subspan(1), lines.subspan(1));
}

// ---- Running a page

class PageRun {
 public:
  explicit PageRun(const Page& page) : page_(page) {
    if (page.text.contains(documented_port) || page.text.contains("samples/")) start_server();
    for (const auto& entry : fs::directory_iterator(root / "samples"))
      if (entry.path().extension() == ".yaml")
        write("samples/" + entry.path().filename().string(),
              replaced(contents(entry.path()), "/delay/2000/", "/delay/200/"));
  }

  // Gives the number of commands that were run; afterwards `misfits` tells of those that printed something
  // else.
  std::size_t run() {
    std::size_t commands = 0;
    for (const Block& block : blocks_of(page_)) {
      if (!block.file.empty()) write(block.file, joined(block.lines));
      if (block.language != "console") continue;
      CHECK(block.lines.front().starts_with(prompt));
      for (std::size_t i = 0; i < block.lines.size(); ++commands) {
        std::size_t next = i + 1;
        while (next < block.lines.size() && !block.lines[next].starts_with(prompt)) ++next;
        const auto output = block.lines.begin() + static_cast<std::ptrdiff_t>(i);
        compare(block.line + i, block.lines[i].substr(prompt.size()),
                {output + 1, block.lines.begin() + static_cast<std::ptrdiff_t>(next)});
        i = next;
      }
    }
    return commands;
  }

  Lines misfits;

 private:
  static constexpr std::string_view prompt = "$ ";
  static constexpr std::string_view documented_port = ":8711";

  void start_server() {
    const fs::path file = server_folder_.path() / "port";
    server_.emplace(Program::Start{
        {WEB_SERVER_PROGRAM, "--port", "0", "--port-file", file.string()}, folder_.path(), {}, ""});
    REQUIRE(eventually([&] { return fs::exists(file); }));
    port_ = ":" + lines_of(contents(file)).front();
  }

  void write(const std::string& name, const std::string& text) {
    folder_.write(name, replaced(text, documented_port, port_));
  }

  Lines output_of(const std::string& command) {
    const std::string path =
        fmt::format("{}:{}:{}/async:{}", fs::path(GATHER_PROGRAM).parent_path().string(),
                    fs::path(WEB_SERVER_PROGRAM).parent_path().string(),
                    fs::path(WEB_SERVER_PROGRAM).parent_path().string(), std::getenv("PATH"));
    const std::string script =
        fmt::format("exec 2>&1\n(exit {})\n{}", status_, replaced(command, documented_port, port_));
    Program program({{"sh", "-c", script}, folder_.path(), {{"PATH", path}}, ""});
    const Ending ending = program.end();
    status_ = ending.status;
    return lines_of(replaced(ending.out, port_, documented_port));
  }

  void compare(std::size_t line, const std::string& command, const Lines& wanted) {
    const Lines printed = output_of(command);
    const bool measured = !command.starts_with("gather plan");
    if (!fit(comparable(wanted, measured), comparable(printed, measured)))
      misfits.push_back(fmt::format("{}, line {}\n$ {}\n{}", page_.name, line, command, joined(printed)));
  }

  const Page& page_;
  Folder folder_;
  Folder server_folder_;
  std::optional<Program> server_;
  std::string port_{documented_port};
  int status_ = 0;  // Of the last command, so that the next can ask for $?.
};

}  // namespace

TEST_CASE("every example of the manual and of README.md prints what it says", "[cli][manual]") {
  std::vector<Page> pages = manual_pages();
  pages.push_back({"README.md", contents(root / "README.md")});
  std::size_t commands = 0;
  for (const Page& each : pages) {
    auto run = std::make_unique<PageRun>(each);
    commands += run->run();
    if (!run->misfits.empty()) {  // On a machine that is busy enough, two tasks can end in another order.
      run = std::make_unique<PageRun>(each);
      run->run();
    }
    for (const std::string& misfit : run->misfits) FAIL_CHECK(misfit);
  }
  CHECK(pages.size() >= 15);
  CHECK(commands >= 30);
}

TEST_CASE("an example that no longer holds is noticed", "[cli][manual]") {
  const auto says = [](const char* wanted, const char* printed, bool measured = true) {
    return fit(comparable(lines_of(wanted), measured), comparable(lines_of(printed), measured));
  };
  CHECK(says("ok          500 ms  kettle", "ok          1.25 s  kettle"));
  CHECK(says("kettle  ok  1 ms  ██░░█", "kettle  ok  20 ms  █"));
  CHECK(says("wall 1 ms\nsum 2 ms", "wall 3 ms\nloop lag   9 ms\nsum 2 ms"));
  CHECK(says("slowest     a 2 ms, b 1 ms", "slowest     b 5 ms, a 3 ms"));
  CHECK(says("a …, c", "a b, c"));
  CHECK(says("first\n…\nlast", "first\nlast"));
  CHECK(says("first\n…\nlast", "first\nx\ny\nlast"));
  CHECK_FALSE(says("ok          500 ms  kettle", "failed      500 ms  kettle"));
  CHECK_FALSE(says("slowest     a 2 ms, b 1 ms", "slowest     b 5 ms, c 3 ms"));
  CHECK_FALSE(says("a …, c", "a b, d"));
  CHECK_FALSE(says("first", "first\nsecond"));
  CHECK_FALSE(says("first\nsecond", "first"));
  CHECK_FALSE(says("wall 1 ms", "wall 2 ms", false));
}
