#include "core/net/digest.hpp"

#include "core/net/curl.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <new>

namespace gather::net {
namespace {

/// Looked up once: each lookup by name takes locks and allocates.
const EVP_MD* sha256() {
  static const EVP_MD* const algorithm = crypto().md_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

EVP_MD_CTX* of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

void Sha256::Deleter::operator()(void* context) const noexcept { crypto().context_free(of(context)); }

Sha256::Sha256() : context_(crypto().context_new()) {
  if (!context_ || crypto().digest_init(of(context_.get()), sha256(), nullptr) != 1) throw std::bad_alloc();
}

void Sha256::update(std::string_view piece) {
  crypto().digest_update(of(context_.get()), piece.data(), piece.size());
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  crypto().digest_final(of(context_.get()), digest.data(), nullptr);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace gather::net
