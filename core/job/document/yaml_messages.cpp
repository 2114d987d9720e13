#include "core/job/document/yaml_messages.hpp"

#include <array>

namespace gather::job {
namespace {

struct Row {
  std::string_view problem;  ///< Begins with this; may be empty if the context says it all.
  std::string_view context;
  YamlMessage says;
};

// The first row that fits decides. Where libyaml names the place it gave up at, which may be far below,
// `at_context` names the place it began at (measured over broken job files: right in all of them).
constexpr std::array rows{
    Row{"found unexpected end of stream",
        "while scanning a quoted scalar",
        {"this quote is never closed", "close it; inside '…' a quote is written twice: ''", true}},
    Row{"found unexpected document indicator",
        "while scanning a quoted scalar",
        {"this quote is not closed before `---`", "close it", true}},
    Row{"found unknown escape character",
        "",
        {"a backslash inside \"…\" begins an escape, and this one is unknown",
         "write two backslashes, or use '…', where a backslash is a backslash"}},
    Row{"did not find expected hexdecimal number", "", {"this escape needs more hexadecimal digits", ""}},
    Row{"found invalid Unicode character escape code", "", {"this escape is no Unicode character", ""}},
    Row{"could not find expected ':'",
        "while scanning a simple key",
        {"this looks like a key, but no `:` follows it",
         "write `key: value`; a longer text is quoted or follows `|`", true}},
    Row{"mapping values are not allowed in this context",
        "",
        {"a `: ` is not allowed here", "quote a text that holds `: `, or check the indentation"}},
    Row{"mapping keys are not allowed in this context",
        "",
        {"a key is not allowed here", "check the indentation"}},
    Row{"block sequence entries are not allowed in this context",
        "",
        {"a `- ` is not allowed here", "begin the list on a line of its own, below the key"}},
    Row{"found a tab character where an indentation space is expected",
        "",
        {"a tab can't indent", "indent with spaces"}},
    Row{"found a tab character that violates indentation", "", {"a tab can't indent", "indent with spaces"}},
    Row{"found character that cannot start any token",
        "",
        {"a value can't begin with this character", "quote the value"}},
    Row{"did not find expected ',' or ']'",
        "",
        {"this list is not closed, or a comma is missing in it",
         "close it with `]`; quote a value that holds [ ] { } or a comma", true, true,
         "a comma or `]` is expected here"}},
    Row{"did not find expected ',' or '}'",
        "",
        {"this mapping is not closed, or a comma is missing in it",
         "close it with `}`; quote a value that holds [ ] { } or a comma", true, true,
         "a comma or `}` is expected here"}},
    Row{"did not find expected key",
        "",
        {"this line does not fit into the mapping around it",
         "check its indentation, and the quotes above it"}},
    Row{"did not find expected '-' indicator",
        "",
        {"this line does not fit into the list around it", "every item begins with `- ` in the same column"}},
    Row{"did not find expected node content",
        "",
        {"a value is missing here", "quote a text that begins with one of , ] } %", false, true}},
    Row{"did not find expected alphabetic or numeric character",
        "while scanning an alias",
        {"`*` begins an alias, and no name follows", "quote a text that begins with `*`", true}},
    Row{"did not find expected alphabetic or numeric character",
        "while scanning an anchor",
        {"`&` begins an anchor, and no name follows", "quote a text that begins with `&`", true}},
    Row{"",
        "while scanning a block scalar",
        {"after `|` or `>` only an indentation number, `+` or `-`, and a comment may follow",
         "begin the text on the next line", true}},
    Row{"",
        "while scanning a tag",
        {"`!` begins a tag, and tags are not supported", "quote a text that begins with `!`", true}},
    Row{"",
        "while parsing a tag",
        {"`!` begins a tag, and tags are not supported", "quote a text that begins with `!`", true}},
    Row{"found undefined tag handle", "", {"tags are not supported", "quote a text that begins with `!`"}},
    Row{"",
        "while scanning a directive",
        {"a line that begins with `%` is a directive", "remove it, or quote the text", true}},
    Row{"", "while scanning a %YAML directive", {"this is no YAML version", "remove the line", true}},
    Row{"found incompatible YAML document",
        "",
        {"this YAML version is not supported", "remove the line: YAML 1.2 is meant"}},
    Row{"found duplicate %YAML directive", "", {"the YAML version is given twice", "remove the line"}},
    Row{"did not find expected <document start>",
        "",
        {"a line `---` is missing after the directive", "remove the directive: YAML 1.2 is meant"}},
};

}  // namespace

YamlMessage explain_yaml(std::string_view problem, std::string_view context) {
  for (const Row& row : rows)
    if (problem.starts_with(row.problem) && context.starts_with(row.context)) return row.says;
  return {problem, ""};
}

}  // namespace gather::job
