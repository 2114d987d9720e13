// Linked to a sample in place of its main (ld's --wrap): cancels the sample at every point, instead of
// running it once. Its arguments are the sample's.
#include "core/testing/cancel_everywhere.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

extern "C" int __real_main(int argc, char** argv);
extern "C" int __wrap_main(int argc, char** argv);

int __wrap_main(int argc, char** argv) {
  const int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(silence, STDOUT_FILENO);  // What it prints is another test's affair.
  try {
    const std::size_t points = gather::testing::cancel_everywhere([&] { __real_main(argc, argv); });
    std::fprintf(stderr, "cancelled at %zu points\n", points);
    return points > 3 ? 0 : 1;  // Or it was not cancelled at all.
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
