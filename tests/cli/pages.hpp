/// The manual's pages, and README.md, as tests read them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace gather::test {

/// The folder of the sources.
inline const std::filesystem::path root = SOURCE_FOLDER;

using Lines = std::vector<std::string>;

/// What a file holds; empty if it can't be read.
std::string contents(const std::filesystem::path& file);

Lines lines_of(const std::string& text);
/// With a line feed behind each.
std::string joined(const Lines& lines);

struct Page {
  std::string name;
  std::string text;
};

/// All of cmd/manual, by name.
std::vector<Page> manual_pages();
Page page(const std::string& name);

/// A fenced block of a page.
struct Block {
  std::size_t line = 0;  // Of its first line, counted from 1.
  std::string language;
  std::string file;  // The NAME that was announced for it, if so.
  Lines lines;
};

/// Checks that each fence is closed, and each announced file has its block.
std::vector<Block> blocks_of(const Page& page);

}  // namespace gather::test
