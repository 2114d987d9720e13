/// Digests of what flows past: SHA-2, and the older ones that lists of checksums still name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

enum class Algorithm : std::uint8_t { sha256, sha512, sha384, sha1, md5, blake2b };

/// The algorithm of that name, as in the enumeration; nothing if there is none.
std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;
std::string_view name(Algorithm algorithm) noexcept;
/// Hexadecimal digits of its digest.
std::size_t digits(Algorithm algorithm) noexcept;

/// The digest that a body must have.
struct Checksum {
  Algorithm algorithm = Algorithm::sha256;
  std::string hex;  ///< Lower case, digits(algorithm) of them.

  friend bool operator==(const Checksum&, const Checksum&) = default;
};

/// Fed in pieces, on any one thread at a time. Throws gather::Error if libcrypto can't be loaded or does not
/// offer the algorithm (MD5 where only approved ones are allowed), std::bad_alloc if memory is out.
class Digest {
 public:
  explicit Digest(Algorithm algorithm);

  void update(std::string_view piece);
  /// Lower-case hex digits. Requires: called once.
  std::string hex();

 private:
  struct Deleter {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Deleter> context_;  // An EVP_MD_CTX; its header is known to digest.cpp alone.
};

/// Feeds the first `size` bytes of the file behind `descriptor`, whose position is left alone. Blocks: for a
/// thread of the pool. False if the file can't be read, or is shorter.
bool update_from(Digest& digest, int descriptor, std::uint64_t size);

}  // namespace gather::net
