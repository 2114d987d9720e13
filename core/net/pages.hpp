/// Pages: an answer that says where the next one is, all of them joined to one body.
#pragma once

#include "core/async/task/co.hpp"

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace gather::net {

/// What one answer holds.
struct Page {
  std::string items;  ///< JSON values with commas between; may be empty.
  std::optional<std::string>
      next;  ///< Where the next page is, absolute or relative; nothing: this is the last.
};

/// How a download in pages goes on and what it is made of. The body is one JSON array of all items.
struct Pages {
  /// What a body holds; what is wrong with it is a sentence without a final full stop, inert. Called on
  /// another thread, perhaps after the download was cancelled, so it owns what it needs.
  std::function<std::expected<Page, std::string>(const std::string& body)> read;
  bool next_by_link = false;  ///< Not Page::next counts, but the header Link with rel=next.
  std::size_t most = 0;       ///< So many are asked for.
  bool more_is_failure =
      false;  ///< If there is another one after that: a failure; else what there is counts.
  /// Awaited before each page but the first; null: nothing is.
  std::function<async::Co<>()> before_next = {};
};

}  // namespace gather::net
