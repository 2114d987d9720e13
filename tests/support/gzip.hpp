/// gzip streams made by hand (RFC 1951 and 1952), so that the tests need no compressor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gather::test {

/// `body` as a gzip stream that is right and no shorter. Half of it is a truncated one.
std::string gzip(std::string_view body);

/// A gzip stream of `size` zeros, 159 times shorter: a bomb. Its checksum is wrong, which only who has
/// inflated it all can know.
std::string gzip_bomb(std::size_t size);

}  // namespace gather::test
