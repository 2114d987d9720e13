#include "core/each/records.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/base/size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace gather::each {
namespace {

/// What GNU parallel makes of a block that holds no whole record.
std::size_t grown(std::size_t block) { return (block * 13 + 9) / 10 + 1; }

}  // namespace

RecordSplitter::RecordSplitter(RecordOptions options)
    : options_(std::move(options)),
      boundary_(options_.end + options_.start),
      header_wanted_(options_.header),
      round_(options_.block) {
  assert(options_.block > 0 && (!options_.count || (*options_.count > 0 && !boundary_.empty())));
}

void RecordSplitter::add(std::string_view bytes) {
  // What has been given is let go of when it is half of the buffer, so that each byte is moved once at most.
  if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_ += bytes;
}

std::optional<std::string> RecordSplitter::next() {
  if (header_wanted_ && !take_header()) return std::nullopt;
  return options_.count ? next_counted() : next_block();
}

bool RecordSplitter::take_header() {
  const std::size_t end = rest().find('\n');
  if (end == std::string_view::npos && !ended_) return false;
  if (end != std::string_view::npos) {
    header_ = rest().substr(0, end + 1);
    begin_ += end + 1;
  }
  header_wanted_ = false;
  return true;
}

std::optional<std::string> RecordSplitter::next_counted() {
  while (true) {
    const std::size_t at = rest().find(boundary_, searched_);
    if (at == std::string_view::npos) {
      const std::size_t end = rest().size() + 1;  // A boundary may have come in part.
      searched_ = std::max(searched_, end > boundary_.size() ? end - boundary_.size() : 0);
      return last();
    }
    searched_ = at + 1;
    if (++found_ < *options_.count) continue;
    searched_ = 1;
    found_ = 0;
    return take(at + options_.end.size());
  }
}

std::optional<std::string> RecordSplitter::next_block() {
  while (rest().size() >= round_) {
    const std::size_t at = rest().substr(0, round_).rfind(boundary_);
    const std::size_t length = at == std::string_view::npos ? 0 : at + options_.end.size();
    if (length == 0) options_.block = grown(options_.block);
    const std::size_t left = round_ - length;
    round_ = left + options_.block - left % options_.block;
    if (length > 0) return take(length);
  }
  return last();
}

std::optional<std::string> RecordSplitter::last() {
  if (!ended_ || rest().empty()) return std::nullopt;
  return take(rest().size());
}

std::string RecordSplitter::take(std::size_t length) {
  std::string piece = header_;
  piece += rest().substr(0, length);
  begin_ += length;
  return piece;
}

std::size_t read_block_size(std::string_view text) {
  constexpr std::string_view capitals = "KMGT";
  const bool of_1024 = text.size() > 1 && capitals.contains(text.back());
  const auto size = parse_size(of_1024 ? std::string(text) + "i" : std::string(text));
  if (!size || *size == 0)
    throw Error(ExitStatus::usage, fmt::format("--block: {} is no size; {}", in_quotes(text), size_examples));
  return static_cast<std::size_t>(*size);
}

}  // namespace gather::each
