/// SHA-256 of what flows past.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace gather::net {

/// Fed in pieces. Throws gather::Error if libcrypto can't be loaded, std::bad_alloc if memory is out.
class Sha256 {
 public:
  Sha256();

  void update(std::string_view piece);
  /// 64 lower-case hex digits. Requires: called once.
  std::string hex();

 private:
  struct Deleter {
    void operator()(void* context) const noexcept;
  };
  std::unique_ptr<void, Deleter> context_;  // An EVP_MD_CTX; its header is known to digest.cpp alone.
};

}  // namespace gather::net
