#include "cmd/process_setup.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>

namespace gather::cmd {

void set_up_process() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor)
    if (fcntl(descriptor, F_GETFD) < 0)
        // The lowest free number is the one that is missing. Read-only, so that writing to a closed stdout is
        // an error and not a silent success.
        [[maybe_unused]]
      const int opened = open("/dev/null", O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // In the background of a terminal with `tostop` we go on, and say what we say.
  std::signal(SIGTTOU, SIG_IGN);
}

void explain(const Error& error) {
  if (error.status() == ExitStatus::stdout_gone) return;  // Nobody is there to read it, and the status tells.
  const std::string_view text = error.what();
  if (text.ends_with('\n'))
    std::fputs(error.what(), stderr);
  else
    std::fprintf(stderr, "gather: %s\n", error.what());
}

}  // namespace gather::cmd
