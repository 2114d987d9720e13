// Runs the examples of the manual and of README.md, so that they stay true, and holds the pages' lists to the
// program's own. What an example is:
//
//     File `NAME`:     the fenced block that follows is written to that file
//     ```console       every line after "$ " is run by sh, in one folder for the whole page; the lines below
//     it
//                      are what it prints, standard output and error together
//
// `…` in an expected line stands for anything, and a line of `…` alone for any lines. What is never the same
// twice (times, ratios, bars, chance) is compared as being there, not for what it says. The page's folder has
// samples/, with delays of seconds cut to a tenth, and a web_server runs where the page says port 8711.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

using namespace gather::test;

namespace {

namespace fs = std::filesystem;

const fs::path root = SOURCE_FOLDER;

using Lines = std::vector<std::string>;
using Names = std::set<std::string>;

std::string contents(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// The texts that `pattern` finds with its first group.
std::vector<std::string> all_found(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
    found.push_back((*match)[1]);
  return found;
}

Names set_of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

// ---- Pages and their blocks

struct Page {
  std::string name;
  std::string text;
};

std::vector<Page> manual_pages() {
  std::vector<Page> pages;
  for (const auto& entry : fs::recursive_directory_iterator(root / "cmd/manual"))
    if (entry.is_regular_file())
      pages.push_back({entry.path().lexically_relative(root / "cmd/manual").replace_extension().string(),
                       contents(entry.path())});
  std::ranges::sort(pages, {}, &Page::name);
  return pages;
}

Page page(const std::string& name) { return {name, contents(root / "cmd/manual" / (name + ".md"))}; }

struct Block {
  std::size_t line = 0;  // Of its first line, counted from 1.
  std::string language;
  std::string file;  // The NAME that was announced for it, if so.
  Lines lines;
};

std::vector<Block> blocks_of(const Page& page) {
  static const std::regex announcement("File `([^`]+)`:");
  std::vector<Block> blocks;
  std::optional<Block> open;
  std::string file;
  std::size_t number = 0;
  for (const std::string& line : lines_of(page.text)) {
    ++number;
    std::smatch found;
    if (open && line == "```") {
      blocks.push_back(*std::exchange(open, std::nullopt));
    } else if (open) {
      open->lines.push_back(line);
    } else if (line.starts_with("```")) {
      open = Block{number + 1, line.substr(3), std::exchange(file, ""), {}};
    } else if (std::regex_match(line, found, announcement)) {
      file = found[1];
    }
  }
  INFO(page.name);
  CHECK_FALSE(open);  // A fence that is never closed.
  CHECK(file == "");  // A file without its block.
  return blocks;
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

// ---- Lists

std::string help_of(const std::string& command) {
  return Gather().run(command.empty() ? Lines{"--help"} : Lines{command, "--help"}).out;
}

// What the program says to a key that it does not know.
Names keys_offered(const std::string& job) {
  const std::string text = Gather().input(job).run({"check", "-"}).err;
  const std::size_t hint = text.find("hint: one of ");
  REQUIRE(hint != std::string::npos);
  return set_of(all_found(text.substr(hint, text.find('\n', hint) - hint), std::regex("`([a-z_0-9]+)`")));
}

Names words_in_code(const std::string& text) { return set_of(all_found(text, std::regex("`([a-z_0-9]+)`"))); }

std::string fields(const Names& names) { return fmt::format("{}", fmt::join(names, " ")); }

Names missing(const Names& wanted, const Names& there) {
  Names result;
  std::ranges::set_difference(wanted, there, std::inserter(result, result.end()));
  return result;
}

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

TEST_CASE("a program on a page is the sample that it names", "[cli][manual]") {
  Names shown;
  for (const Page& each : manual_pages())
    for (const Block& block : blocks_of(each)) {
      if (!block.file.starts_with("samples/async/")) continue;
      INFO(each.name << " " << block.file);
      CHECK((joined(block.lines) == contents(root / block.file)));
      shown.insert(block.file);
    }
  Names samples;
  for (const auto& entry : fs::directory_iterator(root / "samples/async"))
    if (entry.path().extension() == ".cpp")
      samples.insert("samples/async/" + entry.path().filename().string());
  CHECK(fields(missing(samples, shown)) == "");
}

TEST_CASE("the names that the page about asyncio gives are those of the library", "[cli][manual]") {
  static const std::regex row(R"(^\| [^|]+ \| ([^|]+) \|)", std::regex::multiline);
  static const std::regex name(R"([`(, .:]([A-Za-z_]{3,})(?=[`(<{, ]))");
  static const Names of_the_language{"auto", "while", "body", "timeout", "pool", "loop", "main", "bug"};
  std::string headers;
  for (const char* folder : {"core/async", "core/net", "core/testing"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.path().extension() == ".hpp") headers += contents(entry.path());
  const std::string text = page("async/asyncio").text;
  Names unknown;
  std::size_t rows = 0;
  for (const std::string& cell : all_found(text.substr(0, text.find("## Where it differs")), row)) {
    if (++rows; cell.find('`') == std::string::npos) continue;
    for (const std::string& word : all_found(cell, name))
      if (!of_the_language.contains(word) && !std::regex_search(headers, std::regex("\\b" + word + "\\b")))
        unknown.insert(word);
  }
  CHECK(rows > 60);
  CHECK(fields(unknown) == "");
}

TEST_CASE("a page begins with its subject and what it is about", "[cli][manual]") {
  const std::string index = Gather().run({"help"}).out;
  for (const Page& each : manual_pages()) {
    INFO(each.name);
    const std::string first = each.text.substr(0, each.text.find('\n'));
    const std::string head = fmt::format("# {}: ", each.name);
    REQUIRE_THAT(first, Catch::StartsWith(head));
    CHECK_THAT(index, Catch::Contains(fmt::format("  {:<14}{}\n", each.name, first.substr(head.size()))));
    CHECK((Gather().run({"help", each.name}).out == each.text));  // Or the program is not built anew.
  }
}

TEST_CASE("pages refer to pages that there are", "[cli][manual]") {
  Names names;
  for (const Page& each : manual_pages()) names.insert(each.name);
  for (const Page& each : manual_pages()) {
    const std::size_t list = each.text.rfind("\nSee also: ");
    if (list == std::string::npos) continue;
    INFO(each.name);
    const Names there = set_of(all_found(each.text.substr(list), std::regex("`([^`]+)`")));
    CHECK(fields(missing(there, names)) == "");
    CHECK_FALSE(there.empty());
  }
}

TEST_CASE("the pages of the commands list their flags, and no others", "[cli][manual]") {
  static const std::regex in_help(R"((--[a-z][a-z0-9-]+)[ =,\[(])");
  static const std::regex in_page(R"((--[a-z][a-z0-9-]+))");
  const Names of_run = set_of(all_found(help_of("run"), in_help));
  const Names no_flag{"--help"};  // Of every command; the page `help` tells.
  CHECK(fields(missing(missing(of_run, no_flag), set_of(all_found(page("run").text, in_page)))) == "");
  for (const std::string command : {"compare", "check", "fetch"}) {
    INFO(command);
    const Names own = missing(missing(set_of(all_found(help_of(command), in_help)), of_run), no_flag);
    CHECK(fields(missing(own, set_of(all_found(page(command).text, in_page)))) == "");
  }
  for (const std::string command : {"run", "compare", "plan", "check", "fetch"}) {
    INFO(command);
    Names known = set_of(all_found(help_of(command), in_help));
    known.insert(of_run.begin(), of_run.end());
    CHECK(fields(missing(set_of(all_found(page(command).text, in_page)), known)) == "");
  }
}

TEST_CASE("the pages name every key that a job file can have", "[cli][manual]") {
  const Names in_job_file = words_in_code(page("job-file").text);
  CHECK(fields(missing(keys_offered("zzz: 1\ntasks: {a: {sleep: 1}}"), in_job_file)) == "");
  CHECK(fields(missing(keys_offered("limits: {zzz: 1}\ntasks: {a: {sleep: 1}}"), in_job_file)) == "");
  CHECK(fields(missing(keys_offered("tasks: {a: {zzz: 1}}"), in_job_file)) == "");
  const Names in_retries = words_in_code(page("retries").text);
  CHECK(fields(missing(keys_offered("tasks: {a: {retry: {zzz: 1}}}"), in_retries)) == "");
  CHECK(fields(missing(keys_offered("tasks: {a: {retry: {on: zzz}}}"), in_retries)) == "");
  const Names in_fetches =
      words_in_code(page("fetch-tasks").text + page("fetch-files").text + page("fetch-requests").text);
  CHECK(fields(missing(keys_offered("tasks: {a: {fetch: {url: http://a/, zzz: 1}}}"), in_fetches)) == "");
}

TEST_CASE("the page about output names every key of the report", "[cli][manual]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks: { a: { run: [\"false\"] }, b: { needs: a, sleep: 1 }, c: { retry: 0, fetch: "
              "http://127.0.0.1:1/ } }\n");
  const std::string report = gather.run({"--report", "json=-"}).out;
  Names of_outcomes{"code", "what", "why"};  // What belongs to a kind of outcome.
  const Names keys = set_of(all_found(report, std::regex(R"re("([a-z_0-9]+)": ?[^ ])re")));
  CHECK(keys.size() > 40);
  CHECK(fields(missing(missing(keys, of_outcomes), words_in_code(page("output").text))) == "");
}

TEST_CASE("the page of exit statuses has a row for each", "[cli][manual]") {
  const std::string header = contents(root / "core/base/error.hpp");
  const Names in_code =
      set_of(all_found(header, std::regex(R"(^  [a-z_]+ = (\d+),)", std::regex::multiline)));
  const Names on_page =
      set_of(all_found(page("exit-status").text, std::regex(R"(^\| (\d+) \|)", std::regex::multiline)));
  const Names nothing_ends_so_yet{"4", "5"};
  CHECK(fields(missing(in_code, on_page)) == fields(nothing_ends_so_yet));
  CHECK(fields(missing(on_page, in_code)) == "");
}

TEST_CASE("README.md lists the commands that --help lists", "[cli][manual]") {
  static const std::regex in_help(R"(^  ([a-z]+ +[^ ].*)$)", std::regex::multiline);
  const std::string help = help_of("");
  std::string rows;
  for (const std::string& row : all_found(help.substr(help.find("Commands:")), in_help)) {
    const std::size_t blank = row.find(' ');
    rows +=
        fmt::format("| `{}` | {} |\n", row.substr(0, blank), row.substr(row.find_first_not_of(' ', blank)));
  }
  REQUIRE(rows != "");
  CHECK_THAT(contents(root / "README.md"), Catch::Contains("|---|---|\n" + rows + "\n"));
}

TEST_CASE("the job in README.md is samples/hello.yaml, in six lines", "[cli][manual]") {
  const Page readme{"README.md", contents(root / "README.md")};
  const auto blocks = blocks_of(readme);
  const auto job = std::ranges::find(blocks, "yaml", &Block::language);
  REQUIRE(job != blocks.end());
  CHECK(joined(job->lines) == contents(root / "samples/hello.yaml"));
  CHECK(job->lines.size() == 6);
}

TEST_CASE("what README.md links to is there", "[cli][manual]") {
  for (const std::string& target :
       all_found(contents(root / "README.md"), std::regex(R"(\]\(([^)#:]+)\))"))) {
    INFO(target);
    CHECK(fs::exists(root / target));
  }
}
