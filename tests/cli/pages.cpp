#include "tests/cli/pages.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <optional>
#include <regex>
#include <sstream>
#include <utility>

namespace gather::test {

namespace fs = std::filesystem;

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

}  // namespace gather::test
