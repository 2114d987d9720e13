// Random programs over the primitives, in virtual time, against a plain model: no wake-up, permit or item is
// lost or doubled, everything is first come, first served, every task ends, whatever is cancelled when.
//
// Seeds count from 1, so that every run tries the same programs. `GATHER_SEED=123 test_async_random` replays
// one and prints what happens in it; `GATHER_PROGRAMS=5000000 test_async_random` tries more than usual.
#include "tests/unit/async/schedule/program.hpp"

#include <catch2/catch.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>

using gather::test::Program;

namespace {

// `make check` is to try 100,000 programs; the plain build does, in some seconds. Under a sanitizer, of which
// each costs tenfold, they are fewer, and there to see wild memory.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GATHER_SANITIZED 1
#endif
#endif
#ifdef GATHER_SANITIZED
constexpr std::uint64_t usual_programs = 10'000;
#else
constexpr std::uint64_t usual_programs = 100'000;
#endif

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

void run_program(std::uint64_t seed, bool tells) {
  INFO("replay with GATHER_SEED=" << seed);
  Program(seed, tells).run();
}

}  // namespace

TEST_CASE("random programs over the primitives do what a plain model says", "[async][random]") {
  if (const auto seed = number_from("GATHER_SEED")) {
    run_program(*seed, true);
  } else {
    const std::uint64_t programs = number_from("GATHER_PROGRAMS").value_or(usual_programs);
    for (std::uint64_t number = 1; number <= programs; ++number) run_program(number, false);
  }
  SUCCEED();
}
