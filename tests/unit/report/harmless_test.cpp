#include "core/report/harmless.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

using gather::report::Harmless;

namespace {

/// What becomes of a text that comes in pieces of `size`.
std::string harmless(const std::string& text, std::size_t size = std::string::npos) {
  Harmless maker;
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += std::min(size, text.size()))
    result += maker.on(std::string_view(text).substr(at, size));
  return result + std::string(maker.rest());
}

}  // namespace

TEST_CASE("B38: text, tabs and colours reach the terminal, wherever the text was cut", "[report][harmless]") {
  const std::string text = "plain\tgr\u00fcn \u65e5\u672c \U0001f600\n\x1b[1;38;5;12mblue\x1b[0m \x1b[m\n";
  for (std::size_t size = 1; size <= text.size(); ++size) CHECK(harmless(text, size) == text);
}

TEST_CASE("B38: what moves the cursor, clears, names windows or reorders text is written out",
          "[report][harmless]") {
  const auto [text, shown] = GENERATE(table<std::string, std::string>({
      {"\x1b]0;title\a!", "\\x1b]0;title\\x07!"},
      {"\x1b]52;c;aGk=\x1b\\!", "\\x1b]52;c;aGk=\\x1b\\!"},
      {"\x1b[2J\x1b[H!", "\\x1b[2J\\x1b[H!"},
      {"\x1b[3;4Hx\x1b[1A!", "\\x1b[3;4Hx\\x1b[1A!"},
      {"\x1b[?1049h!", "\\x1b[?1049h!"},
      {"\x1b(0\x1b"
       "c!",
       "\\x1b(0\\x1bc!"},
      {"\x1b[>0m!", "\\x1b[>0m!"},  // SGR's letter, and another sequence.
      {"\x9b"
       "2J!",
       "\\x9b2J!"},
      {"\u009b2J!", "\\x9b2J!"},
      {"a\bb\v\f\x7f\x0e!", "a\\x08b\\x0b\\x0c\\x7f\\x0e!"},
      {"evil\u202etxt.exe", "evil\\u202etxt.exe"},
      {std::string("nul\0!", 5), "nul\\x00!"},
      {"\xff\xc3(\xe6\x97!", "\\xff\\xc3(\\xe6\\x97!"},
      {"cut \xe6\x97", "cut \\xe6\\x97"},
      {"cut \x1b[3", "cut \\x1b[3"},
  }));
  for (std::size_t size = 1; size <= text.size(); ++size) CHECK(harmless(text, size) == shown);
}

TEST_CASE("B38: an escape sequence without end is text, and not kept", "[report][harmless]") {
  const std::string digits(10'000, '1');
  CHECK(harmless("\x1b[" + digits + "m") == "\\x1b[" + digits + "m");
  Harmless maker;
  CHECK(maker.on("\x1b[" + digits) == "\\x1b[" + digits);
}

TEST_CASE("a carriage return is a new line, and one before a newline is nothing", "[report][harmless]") {
  for (std::size_t size = 1; size <= 20; ++size)
    CHECK(harmless("10 %\r20 %\r\nend\r\r\nx\r", size) == "10 %\n20 %\nend\nx\n");
}

TEST_CASE("B38: nothing else reaches the terminal, whatever comes", "[report][harmless]") {
  std::mt19937 random(7);
  const std::string often = "\x1b[];:m0123\r\n\x9b\xc2\xe2\x80\xae";
  for (int round = 0; round < 10'000; ++round) {
    std::string text;
    for (int i = 0; i < 30; ++i)
      text += random() % 2 == 0 ? often[random() % often.size()] : static_cast<char>(random() % 256);
    const std::string shown = harmless(text, 1 + random() % 10);
    bool good = true;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const auto ch = static_cast<unsigned char>(shown[i]);
      if (ch == 0x1b) {
        const std::size_t end = shown.find_first_not_of("0123456789;:", i + 2);
        good = good && shown[i + 1] == '[' && end != std::string::npos && shown[end] == 'm';
      } else {
        good = good && (ch >= 0x20 || ch == '\n' || ch == '\t') && ch != 0x7f &&
               !shown.substr(i).starts_with("\u009b") && !shown.substr(i).starts_with("\u202e");
      }
    }
    if (!good) FAIL_CHECK("reached the terminal: " + shown);
  }
  SUCCEED();
}
