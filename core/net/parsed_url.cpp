#include "core/net/parsed_url.hpp"

#include <algorithm>
#include <new>

namespace gather::net {
namespace {

/// A path that libcurl's parser leaves as it is, with nothing behind it. By itself it would be given small
/// letters in its percent codes, which are not the same to every server.
bool is_plain(std::string_view path) noexcept {
  return path.starts_with('/') && !path.contains("/.") && std::ranges::none_of(path, [](unsigned char c) {
           return c <= 0x20 || c >= 0x7f || c == '?' || c == '#' || c == '%' || c == '\\';
         });
}

}  // namespace

CURLU* ParsedUrl::parse(const std::string& url) noexcept try {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return nullptr;
  const std::size_t path = url.find_first_of("/?#", scheme + 3);
  if (path == std::string::npos || !is_plain(std::string_view(url).substr(path))) return nullptr;
  const std::string_view origin = std::string_view(url).substr(0, path);
  CURLUcode code = CURLUE_OK;
  if (parts_ && origin == origin_) {
    code = curl().url_set(parts_.get(), CURLUPART_PATH, url.c_str() + path, 0);
  } else {
    origin_.clear();
    parts_.reset(curl().url());
    if (!parts_) return nullptr;
    code = curl().url_set(parts_.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER);
    origin_ = origin;
  }
  if (code == CURLUE_OK) return parts_.get();
  origin_.clear();
  return nullptr;
} catch (const std::bad_alloc&) {
  origin_.clear();
  return nullptr;
}

}  // namespace gather::net
