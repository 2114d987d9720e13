/// A terminal of its own for a program under test, with a keyboard and a screen that are ours.
#pragma once

#include "tests/cli/program.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace gather::test {

/// A shell with job control that runs `script` in a terminal of its own, whose keyboard and screen are ours.
class Terminal {
 public:
  Terminal(const std::string& script, const std::filesystem::path& folder);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  void type(std::string_view keys);
  /// Changes its size, and has everybody told who runs in its foreground.
  void resize(unsigned short rows, unsigned short columns);
  /// Reads until the screen has shown `text`; fails the test after Program::deadline.
  void wait_for(const std::string& text);
  /// What it has shown so far.
  const std::string& screen() const { return screen_; }

 private:
  int keys_;
  pid_t pid_ = -1;
  std::string screen_;
};

}  // namespace gather::test
