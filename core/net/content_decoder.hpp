/// Takes the content coding off a body as it comes, by zlib. libcurl 7.88.1 does the same with
/// CURLOPT_ACCEPT_ENCODING, but takes a stream that is cut for a whole one. Only files of core/net include
/// this.
#pragma once

#include "core/net/headers.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// What a request says that asks for what ContentDecoder knows.
inline constexpr std::string_view accepted_codings = "gzip, deflate";

/// The one coding of an answer with these headers; nothing if it has none, or `identity`. Names may be any.
std::optional<std::string> content_coding(const Headers& headers);

class ContentDecoder {
 public:
  /// Where decoded bytes go, 64 KB at most at a time; false ends it.
  using Sink = std::function<bool(std::string_view)>;

  /// Nothing for a coding other than gzip (x-gzip) and deflate, and for several of them. Throws gather::Error
  /// if zlib can't be loaded, std::bad_alloc.
  static std::optional<ContentDecoder> for_coding(std::string_view coding);

  ContentDecoder(ContentDecoder&&) noexcept;
  ContentDecoder& operator=(ContentDecoder&&) noexcept;
  ~ContentDecoder();

  /// False if the sink said so, or if the bytes are no such stream: then damaged() is true.
  ///
  /// A gzip body may be several streams, one after the other (RFC 1952, section 2.2); what is behind them
  /// must be one, too. deflate is the format of RFC 1950, or bare as some servers have it.
  bool take(std::string_view piece, const Sink& sink);

  bool damaged() const noexcept;
  /// Whether the stream is at its end, checksum included.
  bool at_end() const noexcept;

 private:
  struct Stream;
  explicit ContentDecoder(std::unique_ptr<Stream> stream) noexcept;
  std::unique_ptr<Stream> stream_;
};

}  // namespace gather::net
