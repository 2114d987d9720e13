/// Lists of URLs, one a line, as `gather fetch -i` reads them. Knows nothing of job files.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// Where an entry stands. A list may have a million lines, so the words are made when a problem needs them.
struct EntryPlace {
  std::shared_ptr<const std::string> list;  ///< Its name, inert; null: the arguments.
  std::size_t number = 0;                   ///< Of the line or argument, from 1.

  /// "list.txt:3", or "argument 2".
  std::string spell() const;
};

/// One URL that somebody wants, and where they said so.
struct UrlEntry {
  EntryPlace place;  ///< What problems name.
  std::string url;
  std::optional<std::string> output;      ///< As written: a path below the folder of all files.
  std::optional<std::string> sha256;      ///< 64 hexadecimal digits, lower case.
  std::vector<std::string> mirrors = {};  ///< Other URLs of the same bytes, in the order to ask them.
};

struct UrlList {
  std::vector<UrlEntry> entries;      ///< Of the lines that are right, in their order.
  std::vector<std::string> problems;  ///< Sentences with their place, each on one line, inert.
};

/// Reads a list and adds to `list`: lines of `URL [TAB output [TAB sha256:HEX]]`, and lines that begin with
/// `{` as JSON objects `{"url": …, "output": …, "sha256": …}`, where `"urls": [URL, …]` in place of the one
/// names mirrors. Empty lines are skipped; there are no comments, for a line is data. A line may end in CR
/// LF.
///
/// `name` is what problems call the list. All of them are found, and never throws for one.
void read_url_list(std::string_view name, std::string_view text, UrlList& list);

/// What is wrong with `url` as a sentence, or nothing; it never repeats a user or a password.
std::optional<std::string> problem_with_url(std::string_view url);

/// `text` in lower case if it is a SHA-256 in hexadecimal.
std::optional<std::string> read_sha256(std::string_view text);

/// The line that read_url_list reads as the same entry (without its place), with its newline.
std::string list_line(const UrlEntry& entry);

}  // namespace gather::job
