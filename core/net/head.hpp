/// The head of an HTTP/1 answer, read line by line as libcurl hands it over, and more strictly than it does.
#pragma once

#include "core/net/headers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gather::net {

/// An answer's head, and what we make of it.
struct Head {
  int status = 0;
  std::string reason;  ///< What follows the status, such as "Not Found"; may be empty, may be any bytes.
  Headers headers;     ///< Values without the blanks around them.
  std::optional<std::uint64_t> length;     ///< Content-Length.
  bool chunked = false;                    ///< The body ends with a last chunk; `length` means nothing then.
  bool has_location = false;               ///< Where a redirect leads; libcurl makes it absolute.
  std::optional<std::string> retry_after;  ///< As it was sent: seconds, or a date.
};

/// Keeps the head of the latest answer: interim ones (1xx) come before the final one.
class HeadReader {
 public:
  /// Takes one line, with or without its line break. False: no body can be trusted after this; see fault().
  /// Trailers, which follow a body in chunks, are left out.
  ///
  /// Refused, because libcurl 7.88.1 accepts some of it and then takes a cut body for a whole one: a
  /// Content-Length that is no number below 2^63, two that differ, a transfer coding other than chunked. And
  /// heads of more than 256 KB, interim ones counted.
  bool read(std::string_view line);

  const Head& head() const noexcept { return head_; }
  Head take_head() noexcept { return std::move(head_); }
  /// The empty line after the headers of a final answer was read.
  bool complete() const noexcept { return complete_; }
  /// What was wrong, to follow the host's name in a sentence: "sent two different lengths".
  const std::string& fault() const noexcept { return fault_; }

 private:
  bool refuse(std::string fault);
  bool read_length(std::string_view value);

  Head head_;
  std::size_t size_ = 0;  // Of all heads so far.
  bool complete_ = false;
  std::string fault_;
};

}  // namespace gather::net
