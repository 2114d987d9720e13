#include "core/net/url.hpp"

#include "core/base/quote.hpp"
#include "core/net/curl.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace gather::net {
namespace {

using Fields = std::span<const std::pair<std::string, std::string>>;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

CurlUrl make_url() {
  CurlUrl url(curl().url());
  if (!url) throw std::bad_alloc();
  return url;
}

bool put(const CurlUrl& url, CURLUPart part, const char* text, unsigned flags = 0) {
  return curl().url_set(url.get(), part, text, flags) == CURLUE_OK;
}

/// Nothing where the URL has no such part.
std::optional<std::string> part_of(const CurlUrl& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl().url_get(url.get(), part, &text, flags) != CURLUE_OK) return std::nullopt;
  return std::string(CurlText(text).get());
}

void encode_into(std::string& text, std::string_view piece) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : piece) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      text += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text += '%';
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
}

}  // namespace

std::string_view origin_in(std::string_view url) noexcept {
  return url.substr(0, url.find_first_of("/?#", url.find("://") + 3));
}

Origin origin_of(const std::string& url) {
  const CurlUrl parsed = make_url();
  if (!put(parsed, CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME)) return {};
  const auto part = [&](CURLUPart which) {
    return lower(part_of(parsed, which, CURLU_DEFAULT_PORT).value_or(""));
  };
  return {part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
}

std::string resolved(const std::string& base, const std::string& location) {
  const CurlUrl url = make_url();
  if (!put(url, CURLUPART_URL, base.c_str()) ||
      !put(url, CURLUPART_URL, location.c_str(),
           CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE | CURLU_URLENCODE))
    return location;
  return part_of(url, CURLUPART_URL).value_or(location);
}

std::optional<Target> target_of(const std::string& base, const std::string& url, Fields query) {
  if (base.contains('\0') || url.contains('\0')) return std::nullopt;
  const CurlUrl parsed = make_url();
  constexpr unsigned flags = CURLU_ALLOW_SPACE | CURLU_URLENCODE;
  if (!base.empty() && !put(parsed, CURLUPART_URL, base.c_str(), flags)) return std::nullopt;
  if (!put(parsed, CURLUPART_URL, url.c_str(), flags)) return std::nullopt;
  const auto scheme = part_of(parsed, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return std::nullopt;

  Target target;
  if (auto user = part_of(parsed, CURLUPART_USER, CURLU_URLDECODE))
    target.login.emplace(std::move(*user), part_of(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE).value_or(""));
  put(parsed, CURLUPART_USER, nullptr);
  put(parsed, CURLUPART_PASSWORD, nullptr);
  if (!query.empty() && !put(parsed, CURLUPART_QUERY, percent_encoded(query).c_str(), CURLU_APPENDQUERY))
    return std::nullopt;
  auto complete = part_of(parsed, CURLUPART_URL);
  if (!complete) return std::nullopt;
  target.url = std::move(*complete);
  return target;
}

std::string percent_encoded(Fields fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    encode_into(text, name);
    text += '=';
    encode_into(text, value);
  }
  return text;
}

std::string without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t path = std::min(url.find_first_of("/\\", host), url.size());
  const std::size_t at = url.substr(0, path).rfind('@');
  if (at == std::string_view::npos || at < host) return inert(url);
  return inert(std::string(url.substr(0, host)) + std::string(url.substr(at + 1)));
}

}  // namespace gather::net
