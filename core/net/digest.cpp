#include "core/net/digest.hpp"

#include "core/base/error.hpp"
#include "core/net/curl.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <vector>

namespace gather::net {
namespace {

struct Row {
  std::string_view name;
  std::size_t digits;
  const char* in_libcrypto;
};

/// In the order of the enumeration.
constexpr std::array rows{Row{"sha256", 64, "SHA256"}, Row{"sha512", 128, "SHA512"},
                          Row{"sha384", 96, "SHA384"}, Row{"sha1", 40, "SHA1"},
                          Row{"md5", 32, "MD5"},       Row{"blake2b", 128, "BLAKE2B-512"}};

const Row& row(Algorithm algorithm) noexcept { return rows[static_cast<std::size_t>(algorithm)]; }

/// Looked up once each, and before any thread could: each lookup by name takes locks and allocates.
const EVP_MD* found(Algorithm algorithm) {
  static const auto all = [] {
    std::array<const EVP_MD*, rows.size()> found{};
    std::ranges::transform(rows, found.begin(), [](const Row& one) {
      return crypto().md_fetch(nullptr, one.in_libcrypto, nullptr);
    });
    return found;
  }();
  return all[static_cast<std::size_t>(algorithm)];
}

EVP_MD_CTX* of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
  const auto at = std::ranges::find(rows, name, &Row::name);
  if (at == rows.end()) return std::nullopt;
  return static_cast<Algorithm>(at - rows.begin());
}

std::string_view name(Algorithm algorithm) noexcept { return row(algorithm).name; }

std::size_t digits(Algorithm algorithm) noexcept { return row(algorithm).digits; }

void Digest::Deleter::operator()(void* context) const noexcept { crypto().context_free(of(context)); }

Digest::Digest(Algorithm algorithm) : context_(crypto().context_new()) {
  const EVP_MD* const method = found(algorithm);
  if (method == nullptr)
    throw Error(ExitStatus::task_failed,
                fmt::format("can't check a checksum: this libcrypto does not offer {}", name(algorithm)));
  if (!context_ || crypto().digest_init(of(context_.get()), method, nullptr) != 1) throw std::bad_alloc();
}

void Digest::update(std::string_view piece) {
  crypto().digest_update(of(context_.get()), piece.data(), piece.size());
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  crypto().digest_final(of(context_.get()), digest.data(), &size);
  // By hand: fmt::join took as long for the 32 bytes as SHA-256 for 200.
  constexpr std::string_view hex_digits = "0123456789abcdef";
  std::string text(2 * std::size_t{size}, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[2 * i] = hex_digits[digest[i] >> 4U];
    text[2 * i + 1] = hex_digits[digest[i] & 15U];
  }
  return text;
}

bool update_from(Digest& digest, int descriptor, std::uint64_t size) {
  std::vector<char> buffer(256 * 1024);
  for (std::uint64_t at = 0; at < size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - at));
    const ssize_t count = pread(descriptor, buffer.data(), wanted, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    digest.update({buffer.data(), static_cast<std::size_t>(count)});
    at += static_cast<std::uint64_t>(count);
  }
  return true;
}

}  // namespace gather::net
