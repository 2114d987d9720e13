#include "core/net/receiver.hpp"

#include "core/base/quote.hpp"
#include "core/net/content_range.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gather::net {
namespace {

// Enough of an unexpected answer to name what is wrong; and so much more is read to keep the connection.
constexpr std::size_t kept_of_error = 4096;
constexpr std::uint64_t read_of_error = 256UL * 1024;

bool is_coded(const Head& head) {
  return !same_name(head.headers.get("content-encoding", "identity"), "identity");
}

}  // namespace

bool expects(const Download& wanted, int status) {
  if (wanted.expected.empty()) return status >= 200 && status < 300;
  return std::ranges::find(wanted.expected, status) != wanted.expected.end();
}

Receiver::Verdict Receiver::verdict(const Head& head) {
  if (!verdict_) {
    verdict_ = judge(head);
    if (verdict_ == Verdict::whole) begin(head);
    if (verdict_ == Verdict::rest && wanted_.max_size && *total_ > *wanted_.max_size) refuse_too_long();
  }
  return *verdict_;
}

Receiver::Verdict Receiver::judge(const Head& head) {
  if (question_ == Question::if_changed && head.status == 304) return Verdict::unchanged;
  if (question_ == Question::rest && (head.status == 206 || head.status == 416)) return judge_rest(head);
  return expects(wanted_, head.status) ? Verdict::whole : Verdict::unexpected;
}

/// The server knows by If-Range which version we have, and is not believed: everything it says must agree.
Receiver::Verdict Receiver::judge_rest(const Head& head) {
  const PartNote& note = *part_->note();
  const auto range = parse_content_range(head.headers.get("content-range", ""));
  if (!range || !range->total || (note.total && *note.total != *range->total)) return Verdict::useless;
  if (head.status == 416) {
    const bool other = !note.etag.empty() && head.headers.get("etag", note.etag) != note.etag;
    return !range->span && *range->total == part_->size() && !other ? Verdict::had_all : Verdict::useless;
  }
  if (!range->span || range->span->first != part_->size() || is_coded(head) || !same_version(note, head))
    return Verdict::useless;
  total_ = range->total;
  return Verdict::rest;
}

/// A new body: whatever the part held was of another version, or could not be gone on from.
bool Receiver::begin(const Head& head) {
  if (!head.chunked) total_ = head.length;
  if (wanted_.max_size && total_ && *total_ > *wanted_.max_size && wanted_.method != "HEAD")
    return refuse_too_long();
  if (!part_) return true;
  if (part_->size() != 0) {
    if (digest_) digest_.emplace(*wanted_.algorithm());
    if (const auto emptied = part_->start_over(); !emptied) return refuse(emptied.error());
  }
  if (wanted_.resume && wanted_.method == "GET")
    if (auto note = note_for(wanted_.url, head)) part_->keep(std::move(*note));
  return reserve();
}

/// Asks for the space, so that a disk that is too small is known before hours of download.
bool Receiver::reserve() {
  constexpr std::uint64_t worth_asking = 1024UL * 1024;
  if (!total_ || *total_ < worth_asking) return true;
  if (fallocate(part_->descriptor(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(*total_)) == 0) return true;
  if (errno != ENOSPC) return true;  // Many file systems can't; those that have no space tell.
  part_->give_up();
  return refuse(
      fmt::format("no space on the disk for {} bytes of {}", *total_, inert(wanted_.output->native())));
}

bool Receiver::refuse_too_long() {
  if (part_) part_->give_up();
  return refuse(fmt::format("the answer is longer than `max_size`, {} bytes", *wanted_.max_size));
}

bool Receiver::take(const Head& head, std::string_view piece) {
  switch (verdict(head)) {
    case Verdict::whole:
    case Verdict::rest:
      return refusal_.empty() && take_wanted(piece);
    case Verdict::useless:
      return false;
    case Verdict::unchanged:
    case Verdict::had_all:
    case Verdict::unexpected:
      break;
  }
  return take_unwanted(head, piece);
}

bool Receiver::refuse(std::string why) {
  refusal_ = std::move(why);
  return false;
}

bool Receiver::take_wanted(std::string_view piece) {
  received_ += piece.size();
  if (verdict_ == Verdict::rest && part_->size() + piece.size() > *total_) {
    too_much_ = true;
    return false;
  }
  if (wanted_.max_size && (part_ ? part_->size() + piece.size() : received_) > *wanted_.max_size)
    return refuse_too_long();
  if (digest_) digest_->update(piece);
  if (wanted_.received != nullptr) *wanted_.received += piece.size();
  if (part_) {
    const auto written = part_->write(piece);
    return written || refuse(written.error());
  }
  if (wanted_.take) {
    const auto taken = wanted_.take(piece);
    return taken || refuse(taken.error());
  }
  if (body_.size() + piece.size() > longest_kept_body)
    return refuse(fmt::format("the answer is longer than {} MB; name an `output` file for it",
                              longest_kept_body / 1'000'000));
  body_ += piece;
  return true;
}

bool Receiver::take_unwanted(const Head& head, std::string_view piece) {
  error_body_ += piece.substr(0, kept_of_error - error_body_.size());
  skipped_ += piece.size();
  if (skipped_ <= read_of_error) return true;
  given_up_ = head;
  return false;
}

}  // namespace gather::net
