/// A terminal that keeps what it is told, and outputs of tasks that are plain text.
#pragma once

#include "core/report/terminal.hpp"
#include "core/run/observer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gather::test {

class FakeTerminal final : public report::Terminal {
 public:
  void out(std::string_view text) override { stdout_text += text, both += text; }
  void err(std::string_view text) override { stderr_text += text, both += text; }
  void flush() override { ++flushes; }
  std::optional<std::size_t> columns() const override { return width; }
  bool shared() const override { return is_shared; }
  bool out_is_terminal() const override { return width && is_shared; }
  bool err_is_terminal() const override { return width.has_value(); }

  std::string stdout_text;
  std::string stderr_text;
  std::string both;  ///< In the order of writing: what a terminal would get.
  int flushes = 0;
  std::optional<std::size_t> width;
  bool is_shared = false;
};

/// Gives its text in pieces of three bytes.
class TextOutput final : public run::Output {
 public:
  explicit TextOutput(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  void read(const Sink& sink) const override {
    for (std::size_t i = 0; i < text_.size(); i += 3) sink(std::string_view(text_).substr(i, 3));
  }

 private:
  std::string text_;
};

/// Nothing where the text is empty.
inline run::AttemptOutput output_of(int attempt, const std::string& out, const std::string& err) {
  run::AttemptOutput output;
  output.attempt = attempt;
  if (!out.empty()) output.out = std::make_unique<TextOutput>(out);
  if (!err.empty()) output.err = std::make_unique<TextOutput>(err);
  return output;
}

inline std::vector<run::AttemptOutput> outputs(run::AttemptOutput first) {
  std::vector<run::AttemptOutput> list;
  list.push_back(std::move(first));
  return list;
}

}  // namespace gather::test
