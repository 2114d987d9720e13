#include "core/job/document/lines.hpp"

#include <algorithm>

namespace gather::job {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

}  // namespace

Lines::Lines(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends_line = text[i] == '\n' || (text[i] == '\r' && !text.substr(i + 1).starts_with('\n'));
    if (ends_line) starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

std::uint32_t Lines::line_number(std::uint32_t offset) const {
  return static_cast<std::uint32_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin());
}

Position Lines::locate(std::uint32_t offset) const {
  const std::uint32_t number = line_number(offset);
  Place place{{number, 1}, starts_[number - 1]};
  if (last_.position.line == number && last_.offset <= offset) place = last_;
  for (; place.offset < offset; ++place.offset)
    if (place.offset + 1 == text_.size() || begins_character(text_[place.offset + 1]))
      ++place.position.column;
  last_ = place;
  return place.position;
}

std::uint32_t Lines::offset(Position position) const {
  if (position.line == 0 || position.line > starts_.size()) return 0;
  const std::uint32_t start = starts_[position.line - 1];
  const auto end = start + static_cast<std::uint32_t>(line(position.line).size());
  Place place{{position.line, 1}, start};
  if (last_.position.line == position.line && last_.position.column <= position.column) place = last_;
  for (; place.offset < end && place.position.column < position.column; ++place.offset)
    if (place.offset + 1 == text_.size() || begins_character(text_[place.offset + 1]))
      ++place.position.column;
  last_ = place;
  return place.offset;
}

std::string_view Lines::line(std::uint32_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const std::uint32_t start = starts_[number - 1];
  std::string_view text =
      text_.substr(start, (number < starts_.size() ? starts_[number] : text_.size()) - start);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

std::uint32_t Lines::width(Extent extent) const {
  const std::uint32_t number = line_number(extent.begin);
  const auto line_end = starts_[number - 1] + static_cast<std::uint32_t>(line(number).size());
  const std::uint32_t end = std::min(extent.end, line_end);
  if (end <= extent.begin) return 1;
  const std::string_view covered = text_.substr(extent.begin, end - extent.begin);
  return static_cast<std::uint32_t>(
      std::max<std::ptrdiff_t>(1, std::ranges::count_if(covered, begins_character)));
}

}  // namespace gather::job
