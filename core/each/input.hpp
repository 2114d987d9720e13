/// Where arguments come from, and how several sources become records: plain functions of text.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::each {

/// The arguments of one command, before grouping: one of each source, or the columns of a line.
using Record = std::vector<std::string>;

/// One `:::`, `::::`, `-a FILE`, or standard input.
struct Source {
  std::vector<std::string> values;  ///< Words, or the lines of a file.
  bool linked = false;              ///< `:::+` and `::::+`: goes along with the source before it.
};

struct InputOptions {
  std::string delimiter = "\n";       ///< Between the arguments of a file.
  std::optional<std::string> colsep;  ///< A regular expression between columns.
  bool header = false;                ///< The first of each source names it.
  bool link = false;                  ///< Take one from each source at a time instead of every combination.
};

/// All that will be run over.
struct Input {
  std::vector<std::string> names;  ///< Of the columns, with a header; else empty.
  std::vector<Record> records;
};

/// Splits a file's text. A delimiter at the end ends the last argument and begins none.
std::vector<std::string> split_values(std::string_view text, std::string_view delimiter);

/// `\n`, `\t`, `\r`, `\0`, `\xHH` and `\\` as in C; every other character stands for itself.
/// Throws Error(usage), naming the flag, for an escape that is none.
std::string read_escapes(std::string_view text, std::string_view flag);

/// The value of --delimiter, with escapes. Throws Error(usage) for an empty one, too.
std::string read_delimiter(std::string_view text);

/// Every combination, the last source fastest; with `link` one from each in turn, shorter ones beginning
/// again; with `:::+` the shorter one of the two ends both. As GNU parallel has it.
///
/// Throws Error(usage) for a regular expression that is none, and for a source without the header that was
/// asked for.
Input combine(std::vector<Source> sources, const InputOptions& options);

}  // namespace gather::each
