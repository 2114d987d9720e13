#include "core/report/hints.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace gather::report {

std::string_view terminal_hint(std::span<const std::string> lines) {
  // Of sudo, ssh, git, gpg, docker, stty and many that ask isatty; in small letters.
  constexpr std::array<std::string_view, 12> signs{"not a tty",
                                                   "not a terminal",
                                                   "inappropriate ioctl for device",
                                                   "terminal is required",
                                                   "no tty present",
                                                   "/dev/tty",
                                                   "could not read username",
                                                   "could not read password",
                                                   "prompts disabled",
                                                   "host key verification failed",
                                                   "password:",
                                                   "passphrase"};
  for (std::string line : lines) {
    std::ranges::transform(line, line.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::ranges::any_of(signs, [&](std::string_view sign) { return line.contains(sign); }))
      return "it asks for a terminal or a password; `tty: true` (in each: --tty) lends a task the terminal";
  }
  return {};
}

}  // namespace gather::report
