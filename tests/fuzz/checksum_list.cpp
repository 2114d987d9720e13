#include "core/net/checksum_list.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gather::net;
  const auto require = [](bool holds) {
    if (!holds) std::abort();  // An assert would vanish with NDEBUG.
  };
  const auto list = parse_checksum_list({reinterpret_cast<const char*>(data), size});
  if (!list) {
    require(list.error().starts_with("line "));
    return 0;
  }
  for (const ListedChecksum& listed : *list) {
    require(!listed.name.empty() && !listed.name.contains('\0'));
    require(listed.checksum.hex.size() == digits(listed.checksum.algorithm));
    require(listed.checksum.hex.find_first_not_of("0123456789abcdef") == std::string::npos);
    const std::size_t slash = listed.name.rfind('/');
    const auto found = checksum_for(listed.name.substr(slash + 1), *list);
    require(!found || found->algorithm <= listed.checksum.algorithm);
  }
  return 0;
}
