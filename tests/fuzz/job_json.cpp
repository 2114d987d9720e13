#include "tests/fuzz/job_fuzz.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gather::job;
  check_any_job(
      {.name = "job.json", .text = {reinterpret_cast<const char*>(data), size}, .format = Format::json});
  return 0;
}
