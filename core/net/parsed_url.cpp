#include "core/net/parsed_url.hpp"

#include "core/net/url.hpp"

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
  if (!url.contains("://")) return nullptr;
  const std::string_view origin = origin_in(url);
  const char* const path = url.c_str() + origin.size();
  if (!is_plain(path)) return nullptr;
  CURLUcode code = CURLUE_OK;
  if (parts_ && origin == origin_) {
    code = curl().url_set(parts_.get(), CURLUPART_PATH, path, 0);
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
