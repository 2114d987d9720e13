#include "core/net/libraries.hpp"

#include "core/net/curl.hpp"

#include <atomic>

namespace gather::net {
namespace {

std::atomic<Libraries> ready{Libraries::none};

}  // namespace

Libraries needed_for(std::string_view url) noexcept {
  return url.starts_with("https:") ? Libraries::curl_and_crypto : Libraries::curl;
}

bool loaded(Libraries needed) noexcept { return ready.load(std::memory_order_acquire) >= needed; }

void load_libraries(Libraries needed) {
  curl();
  // The first lookup of an algorithm is what makes libcrypto get itself ready.
  if (needed == Libraries::curl_and_crypto) crypto().md_free(crypto().md_fetch(nullptr, "SHA256", nullptr));
  if (!loaded(needed)) ready.store(needed, std::memory_order_release);
}

}  // namespace gather::net
