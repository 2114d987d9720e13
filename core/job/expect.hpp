/// What must be true of an answer before it counts, as plain data, and whether it is: pure functions of
/// headers and text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// HTTP statuses that count as success. Empty: any 2xx.
struct ExpectedStatus {
  std::vector<int> listed;

  bool allows(int status) const;
};

/// What a text must say; all of it must hold.
struct ExpectedText {
  std::vector<std::string> equals;    ///< Any of them; none: anything.
  std::vector<std::string> contains;  ///< All of them.
  std::vector<std::string>
      matches;  ///< All of them; POSIX extended regular expressions, as grep -E has them.

  bool empty() const { return equals.empty() && contains.empty() && matches.empty(); }
};

struct ExpectedHeader {
  std::string name;
  bool exists = true;  ///< False: it must not be there.
  ExpectedText value;
};

/// What a part of a JSON body must be.
struct ExpectedValue {
  std::string pointer;                ///< RFC 6901; checked.
  bool exists = true;                 ///< False: there must be nothing.
  std::optional<std::string> equals;  ///< JSON.
};

struct Expect {
  ExpectedStatus status;
  std::vector<std::string>
      types;  ///< Media types without parameters, in lower case, or `image/*`; any of them.
  std::optional<std::uint64_t> size;  ///< Of the body as it is written, in bytes.
  std::vector<ExpectedHeader> headers;
  std::vector<ExpectedValue> json;
  ExpectedText body;

  bool of_head() const { return !types.empty() || !headers.empty(); }
  bool of_body() const { return !json.empty() || !body.empty(); }
};

/// The value of a header by its name, whatever its case; several of one name joined by ", ".
using HeaderValue = std::function<std::optional<std::string>(std::string_view name)>;

/// Why these headers are not as expected: a sentence without a final full stop, inert; nothing if they are.
/// `partial`: of an answer that holds the rest of a body (206), which need not repeat what was said of the
/// whole, so that only what it says counts.
std::optional<std::string> fault_in_headers(const Expect& expect, const HeaderValue& header, bool partial);

/// Why this body is not as expected, in the same way. Its size is not looked at. Takes time and memory linear
/// in the body, times the expressions.
std::optional<std::string> fault_in_body(const Expect& expect, std::string_view body);

/// Why `pattern` is no regular expression; nothing if it is one.
std::optional<std::string> fault_in_pattern(const std::string& pattern);

/// Whether `pointer` is a JSON pointer: empty, or `/` and names, with `~0` and `~1` for `~` and `/`.
bool is_json_pointer(std::string_view pointer);

}  // namespace gather::job
