/// A certification authority of the test's own and one certificate for loopback, made by `openssl`.
#pragma once

#include <filesystem>

namespace gather::test {

struct Certificate {
  std::filesystem::path authority;  ///< PEM: what a client has to trust.
  std::filesystem::path chain;      ///< PEM: for 127.0.0.1 and localhost, two days.
  std::filesystem::path key;
};

/// Made in `folder`, which must exist. Throws std::runtime_error if `openssl` is missing or fails.
Certificate make_certificate(const std::filesystem::path& folder);

}  // namespace gather::test
