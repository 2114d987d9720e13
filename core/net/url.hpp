/// URLs: taken apart, resolved and completed by libcurl's own parser, since one that differed from what
/// connects would be a hole. Only files of core/net include this.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gather::net {

/// Scheme, host and port, in lower case; empty where the URL can't be read.
struct Origin {
  std::string scheme;
  std::string host;
  std::string port;

  friend bool operator==(const Origin&, const Origin&) = default;
};

Origin origin_of(const std::string& url);

/// The same as it is written at the beginning of `url`, so that one origin may have several; costs next to
/// nothing. Requires: a scheme with "://".
std::string_view origin_in(std::string_view url) noexcept;

/// Where `location` leads from `base`, absolute; `location` itself where the two can't be put together.
std::string resolved(const std::string& base, const std::string& location);

/// A URL that can be asked for, and the user and password that it named.
struct Target {
  std::string url;  ///< Absolute, http or https, without user and password.
  std::optional<std::pair<std::string, std::string>> login;
};

/// `url`, from `base` on if it is not absolute, with `query` added to its own, percent-encoded. Nothing if
/// that is no URL of http or https.
std::optional<Target> target_of(const std::string& base, const std::string& url,
                                std::span<const std::pair<std::string, std::string>> query);

/// `name=value&…`, where all but letters, digits and `-._~` is percent-encoded: a query, or a form.
std::string percent_encoded(std::span<const std::pair<std::string, std::string>> fields);

/// `url` for a message, inert: without user and password, and without query and fragment, which may hold
/// tokens.
std::string without_secrets(std::string_view url);

}  // namespace gather::net
