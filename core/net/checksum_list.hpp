/// Lists of checksums, as sha256sum and its kin write and check them.
#pragma once

#include "core/net/digest.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace gather::net {

struct ListedChecksum {
  std::string name;  ///< As listed, unescaped; may hold folders. Never empty.
  Checksum checksum;

  friend bool operator==(const ListedChecksum&, const ListedChecksum&) = default;
};

/// Reads `HEX  NAME` and `HEX *NAME` (the algorithm follows from the number of digits; 128 are SHA-512),
/// `\HEX  NAME` with `\n`, `\r` and `\\` escaped in NAME, and BSD's `SHA256 (NAME) = HEX`. Empty lines and
/// those that begin with `#` are passed over, and lines may end in CR LF.
///
/// Every other line is an error, told as "line 3 …" without a final full stop: a list that is not understood
/// whole, such as a page that says "not found", verifies nothing.
std::expected<std::vector<ListedChecksum>, std::string> parse_checksum_list(std::string_view text);

/// The checksum of the file of that base name, whatever folder it is listed in. An error, as a sentence
/// without a final full stop, if it is not there, or there with different checksums of one algorithm; where
/// algorithms differ, the first in Algorithm's order is taken.
std::expected<Checksum, std::string> checksum_for(std::string_view base_name,
                                                  const std::vector<ListedChecksum>& list);

}  // namespace gather::net
