#include "core/each/word_split.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <utility>

namespace gather::each {
namespace {

constexpr std::string_view blanks = " \t\n";
constexpr std::string_view needs_shell = "|&;<>()*?$`";
constexpr std::string_view needs_shell_in_quotes = "$`";
constexpr std::string_view escaped_in_quotes = "$`\"\\\n";  // What `\` quotes between double quotes.

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<std::string> words() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (blanks.contains(c)) {
        end_word();
        ++at_;
      } else if (c == '\'') {
        single_quoted();
      } else if (c == '"') {
        double_quoted();
      } else if (c == '\\') {
        escaped();
      } else {
        if (needs_shell.contains(c)) refuse(c);
        add(c);
        ++at_;
      }
    }
    end_word();
    return std::move(words_);
  }

 private:
  [[noreturn]] void refuse(char c) const {
    throw Error(ExitStatus::usage,
                fmt::format("only a shell knows what `{}` means in {}; add --shell, or quote it", c,
                            in_quotes(text_, 200)));
  }
  [[noreturn]] void no_end(std::string_view quote) const {
    throw Error(ExitStatus::usage, fmt::format("a {} has no end in {}", quote, in_quotes(text_, 200)));
  }

  void add(char c) {
    word_ += c;
    begun_ = true;
  }
  void end_word() {
    if (begun_) words_.push_back(std::exchange(word_, {}));
    begun_ = false;
  }
  void single_quoted() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) no_end("single quote");
    word_ += text_.substr(at_ + 1, end - at_ - 1);
    begun_ = true;
    at_ = end + 1;
  }
  void double_quoted() {
    begun_ = true;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return;
      }
      if (c == '\\' && at_ + 1 < text_.size() && escaped_in_quotes.contains(text_[at_ + 1])) {
        if (text_[++at_] != '\n') word_ += text_[at_];
        continue;
      }
      if (needs_shell_in_quotes.contains(c)) refuse(c);
      word_ += c;
    }
    no_end("double quote");
  }
  void escaped() {
    if (at_ + 1 == text_.size()) no_end("backslash");
    if (text_[at_ + 1] != '\n') add(text_[at_ + 1]);  // A line break that is quoted so vanishes.
    at_ += 2;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> words_;
  std::string word_;
  bool begun_ = false;  // Also of an empty word, as in ''.
};

}  // namespace

std::vector<std::string> split_words(std::string_view text) { return Splitter(text).words(); }

}  // namespace gather::each
