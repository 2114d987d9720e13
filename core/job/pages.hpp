/// Answers in pages: where the next one is and what a page holds, read from its text.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace gather::job {

/// How many pages are asked for at most where the job does not say.
inline constexpr std::size_t usual_pages = 1000;

/// How to go on from page to page, and what to take of each.
struct Paginate {
  std::optional<std::string> next;  ///< JSON pointer to the next URL in a page; nothing: its header Link.
  std::string items;                ///< JSON pointer to the array in a page.
  std::optional<std::size_t> max;  ///< So many pages are enough; without, more than usual_pages are an error.
};

struct PageText {
  std::string items;                ///< As they are written, with commas between.
  std::optional<std::string> next;  ///< Where `Paginate::next` says so.
};

/// Reads a page. What is wrong with it is a sentence without a final full stop, inert.
///
/// The text of items is kept as it is, so that no digit of a long number is lost. There is no next page where
/// its pointer leads to nothing, null, false or an empty text.
std::expected<PageText, std::string> read_page(const Paginate& paginate, std::string_view body);

}  // namespace gather::job
