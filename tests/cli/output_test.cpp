// Where tasks' output goes, in which order, and what it may cost: memory, descriptors and time of a slow
// reader.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::test;

namespace {

constexpr std::size_t memory_allowed_kb = std::size_t{64} * 1024;

/// Runs `gather ARGUMENTS` with at most so many descriptors.
Program start_with_descriptors(int most, const std::string& arguments, const Folder& folder) {
  return Program({{"sh", "-c", fmt::format("ulimit -n {}; exec {} {}", most, GATHER_PROGRAM, arguments)},
                  folder.path(),
                  frees_at_once,
                  ""});
}

/// `count` commands in keep-order that write `size` bytes each; the first ends only after all others, and the
/// last waits for a file `go` with its end.
void keep_order(int count, std::size_t size) {
  Folder folder;
  folder.write(
      "one.sh",
      fmt::format("[ $1 != 1 ] || until [ $(ls done.* 2> /dev/null | wc -l) -ge {} ]; do sleep 0.02; done\n"
                  "head -c {} /dev/zero | tr '\\0' $(printf %03d $1 | cut -c3); echo; echo end $1\n"
                  "touch done.$1; [ $1 != {} ] || until [ -e go ]; do sleep 0.02; done\n",
                  count - 1, size, count));
  Program program =
      start_with_descriptors(48, fmt::format("each -k -j 4 sh one.sh {{}} ::: $(seq {})", count), folder);
  program.wait_for_out(fmt::format("end {}\n", count - 1));
  const std::size_t peak = program.peak_memory_kb();
  folder.write("go", "");
  const Ending ending = program.end();

  CHECK(ending.status == 0);
  CHECK(ending.err.empty());
  CHECK(peak > 0);
  CHECK(peak < memory_allowed_kb);
  std::string_view rest = ending.out;
  bool complete = true;
  for (int i = 1; i <= count; ++i) {
    const std::string end = fmt::format("\nend {}\n", i);
    complete = complete && rest.size() >= size + end.size() &&
               rest.substr(0, size).find_first_not_of(fmt::format("{}", i % 10)) == std::string_view::npos &&
               rest.substr(size, end.size()) == end;
    rest.remove_prefix(std::min(rest.size(), size + end.size()));
  }
  CHECK(complete);
  CHECK(rest.empty());
}

}  // namespace

TEST_CASE("keep-order: a hundred that ended early cost neither memory nor descriptors", "[cli][output]") {
  keep_order(100, 200'000);
}

TEST_CASE("keep-order: a hundred that wrote 10 MB each come through whole", "[.slow][cli][output]") {
  keep_order(100, 10'000'000);
}
