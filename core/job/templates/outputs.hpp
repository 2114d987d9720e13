/// `outputs` of a task: parts of its result, by name, for the templates of others. Knows texts, and not where
/// they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// What a part is taken of.
enum class ResultPart : std::uint8_t {
  out,     ///< What a process wrote to its standard output.
  body,    ///< Of the answer to a fetch; of a resumed or kept file, all of it.
  status,  ///< Of that answer.
  header,  ///< One of its headers.
  path,    ///< The file that a fetch has made.
  sha256,  ///< Of the body.
};

struct OutputSpec {
  std::string name;
  ResultPart of{};
  /// Of `out` and `body` the JSON pointer behind the `#`, of `header` the header's name; none: all of it, as
  /// text.
  std::optional<std::string> part = {};

  bool reads_text() const { return of == ResultPart::out || of == ResultPart::body; }
  /// As it is written: "body#/token".
  std::string source() const;
};

/// The most text that is looked through for outputs, in bytes.
inline constexpr std::size_t longest_result = 16'000'000;

class ResultValue;

/// What an output has given.
struct OutputValue {
  std::string name;
  std::shared_ptr<const ResultValue> value;
};

/// A text as JSON. The error says why it can't be one: it is not UTF-8.
std::expected<std::string, std::string> json_of_text(std::string_view text);

/// A text that outputs are taken of, read as JSON once if one of them asks for that.
class ResultText {
 public:
  /// `text` outlives this.
  explicit ResultText(std::string_view text);
  ResultText(const ResultText&) = delete;
  ResultText& operator=(const ResultText&) = delete;
  ~ResultText();

  /// What `spec` takes of it, as JSON in the digits and letters that it came in: all of it, without one final
  /// newline if a process wrote it, or what the pointer leads to. The error is a sentence without a final
  /// full stop. Requires: spec.reads_text().
  std::expected<std::string, std::string> value_of(const OutputSpec& spec);

 private:
  struct Parsed;

  std::string_view text_;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace gather::job
