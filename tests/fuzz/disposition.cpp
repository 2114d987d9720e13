// Content-Disposition: whatever a server says, what is left of it is the name of one file in one folder.
#include "core/net/disposition.hpp"

#include "core/base/utf8.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto step = gather::decode_utf8(text);
    if (!step.valid) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

void check_harmless(std::string_view given) {
  const auto name = gather::net::harmless_name(given);
  if (!name) return;
  require(!name->empty() && name->size() + std::string_view(".part.meta").size() <= 255);
  require(name->find_first_of(std::string_view("/\\\0\n\r\x1b\x7f", 7)) == std::string::npos);
  require(name->front() != '.' && name->front() != '-');
  require(!name->ends_with(".part") && !name->ends_with(".part.meta"));
  require(is_utf8(*name));
  require(gather::net::harmless_name(*name) == name);  // Nothing is left to be taken away.
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  check_harmless(value);
  if (const auto name = gather::net::filename_in(value)) check_harmless(*name);
  return 0;
}
