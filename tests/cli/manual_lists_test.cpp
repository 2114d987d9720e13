// Holds the lists of the manual and of README.md (flags, keys, statuses, names, links) to the program's own.
#include "tests/cli/pages.hpp"
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>

using namespace gather::test;

namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

// The texts that `pattern` finds with its first group.
std::vector<std::string> all_found(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
    found.push_back((*match)[1]);
  return found;
}

Names set_of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

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
