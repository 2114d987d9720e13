#include "core/net/receiver.hpp"

#include "core/base/quote.hpp"
#include "core/net/content_range.hpp"
#include "core/net/curl.hpp"

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
// What libcurl hands over in one piece, if it comes in one.
constexpr std::uint64_t longest_at_once = CURL_MAX_WRITE_SIZE;

bool is_coded(const Head& head) {
  return !same_name(head.headers.get("content-encoding", "identity"), "identity");
}

}  // namespace

std::string is_there_already(const std::filesystem::path& path) {
  return fmt::format("{} is there already", inert(path.native()));
}

bool expects(const Download& wanted, int status) {
  if (wanted.expected.empty()) return status >= 200 && status < 300;
  return std::ranges::find(wanted.expected, status) != wanted.expected.end();
}

Receiver::Verdict Receiver::verdict(const Head& head) {
  if (!verdict_) {
    verdict_ = judge(head);
    if (verdict_ == Verdict::whole) begin(head);
    if (verdict_ == Verdict::rest && accepts(head, true)) allows(*total_);
    if (verdict_ == Verdict::rest && question_ == Question::rest_of_mirror && !refusal_) {
      PartNote note = *part_->note();
      note.mixed = true;
      part_->keep(std::move(note));
    }
  }
  return *verdict_;
}

Receiver::Verdict Receiver::judge(const Head& head) {
  if (question_ == Question::if_changed && head.status == 304) return Verdict::unchanged;
  if (asks_for_rest() && (head.status == 206 || head.status == 416)) return judge_rest(head);
  return expects(wanted_, head.status) ? Verdict::whole : Verdict::unexpected;
}

/// The server knows by If-Range which version we have, and is not believed: everything it says must agree.
/// Mirrors have validators of their own, so there it is the length, and at the end the checksum.
Receiver::Verdict Receiver::judge_rest(const Head& head) {
  const PartNote& note = *part_->note();
  const auto range = parse_content_range(head.headers.get("content-range", ""));
  if (!range || !range->total || (note.total && *note.total != *range->total)) return Verdict::useless;
  if (head.status == 416) {
    if (wanted_.path) return Verdict::useless;  // It says nothing of the name.
    // Who knows If-Range refuses a range of the same version alone; but many don't know it, and another
    // version may be as long. A checksum tells the two apart.
    const bool same = note.etag.empty() ? head.headers.get("last-modified", "") == note.last_modified
                                        : head.headers.get("etag", "") == note.etag;
    const bool proven =
        same || question_ == Question::rest_of_mirror || (wanted_.checksum && !head.headers.contains("etag"));
    return !range->span && *range->total == part_->size() && proven ? Verdict::had_all : Verdict::useless;
  }
  const bool same = question_ == Question::rest_of_mirror || same_version(note, head);
  if (!range->span || range->span->first != part_->size() || is_coded(head) || !same) return Verdict::useless;
  total_ = range->total;
  return Verdict::rest;
}

/// Asked before anything of the part is touched: an error page in place of the file costs us nothing.
bool Receiver::accepts(const Head& head, bool partial) {
  if (wanted_.expect.head)
    if (auto fault = wanted_.expect.head(head, partial)) return refuse(NotAsExpected{std::move(*fault)});
  return !wanted_.path || accepts_path(head);
}

bool Receiver::accepts_path(const Head& head) {
  auto path = wanted_.path(head);
  if (!path) return refuse_local(std::move(path.error()));
  path_ = std::move(*path);
  std::error_code error;
  const auto type = std::filesystem::symlink_status(path_, error).type();
  if (type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::none) return true;
  if (wanted_.if_exists == IfExists::fail) return refuse_local(is_there_already(path_));
  // What is no plain file is never taken for the file; publishing refuses it.
  if (wanted_.if_exists != IfExists::skip || type != std::filesystem::file_type::regular) return true;
  const auto size = std::filesystem::file_size(path_, error);
  Fetched fetched;
  fetched.bytes = error ? 0 : size;
  fetched.from = Fetched::From::existing;
  fetched.path = path_;
  return refuse(std::move(fetched));
}

/// A new body: whatever the part held was of another version, or could not be gone on from.
bool Receiver::begin(const Head& head) {
  if (!accepts(head, false)) return false;
  if (wanted_.compressed && wanted_.method != "HEAD" && !begin_decoding(head)) return false;
  if (!head.chunked && wanted_.method != "HEAD" && !decoder_) total_ = head.length;
  if (total_ && !allows(*total_)) return false;
  if (make_part_ && total_ && *total_ <= longest_at_once) return true;  // Perhaps it comes at once.
  return begin_part(head);
}

bool Receiver::begin_part(const Head& head) {
  if (make_part_)
    if (auto failed = make_part_()) return refuse(std::move(*failed));
  if (!part_) return true;
  if (part_->size() != 0) {
    if (digest_) digest_.emplace(*wanted_.algorithm());
    if (const auto emptied = part_->start_over(); !emptied) return refuse_local(emptied.error());
  }
  if (wanted_.resume && wanted_.method == "GET")
    if (auto note = note_for(wanted_.url, head)) part_->keep(std::move(*note));
  return reserve();
}

bool Receiver::begin_decoding(const Head& head) {
  const auto coding = content_coding(head.headers);
  if (!coding) return true;
  decoder_ = ContentDecoder::for_coding(*coding);
  return decoder_ || refuse(Failure{Failure::Kind::protocol,
                                    fmt::format("{} sent the body in a coding that was not asked for: {}",
                                                host_of(wanted_.url), in_quotes(*coding, 100))});
}

bool Receiver::decoded_to_end(const Head& head) const noexcept {
  if (!decoder_ || decoder_->at_end()) return true;
  return coded_ == 0 && (head.length == 0 || head.status == 204);  // No body is not compressed.
}

bool Receiver::proven_whole(const Head& head) const noexcept {
  return head.length || head.chunked || decoder_ || total_ || wanted_.checksum || wanted_.expect.size ||
         wanted_.method == "HEAD" || head.status == 204 || head.status == 304;
}

/// Asks for the space, so that a disk that is too small is known before hours of download.
bool Receiver::reserve() {
  constexpr std::uint64_t worth_asking = 1024UL * 1024;
  if (!total_ || *total_ < worth_asking) return true;
  if (fallocate(part_->descriptor(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(*total_)) == 0) return true;
  if (errno != ENOSPC) return true;  // Many file systems can't; those that have no space tell.
  part_->give_up();
  return refuse_local(
      fmt::format("no space on the disk for {} bytes of {}", *total_, inert(*wanted_.output)));
}

bool Receiver::refuse_too_long() {
  if (part_) part_->give_up();
  return refuse(Failure{Failure::Kind::too_large,
                        fmt::format("the body is longer than `max_size`, {} bytes", *wanted_.max_size),
                        true});
}

bool Receiver::refuse_size(std::uint64_t size) {
  return refuse(NotAsExpected{fmt::format("the body has {} bytes, not {}", size, *wanted_.expect.size)});
}

/// A body that will have so many bytes.
bool Receiver::allows(std::uint64_t size) {
  if (wanted_.max_size && size > *wanted_.max_size) return refuse_too_long();
  return !wanted_.expect.size || size == *wanted_.expect.size || refuse_size(size);
}

bool Receiver::take(const Head& head, std::string_view piece) {
  switch (verdict(head)) {
    case Verdict::whole:
    case Verdict::rest:
      return !refusal_ && take_wanted(head, piece);
    case Verdict::useless:
      return false;
    case Verdict::unchanged:
    case Verdict::had_all:
    case Verdict::unexpected:
      break;
  }
  return take_unwanted(head, piece);
}

bool Receiver::refuse(DownloadResult why) {
  refusal_ = std::move(why);
  return false;
}

bool Receiver::take_wanted(const Head& head, std::string_view piece) {
  if (wanted_.received != nullptr) *wanted_.received += piece.size();
  if (!decoder_) return take_decoded(head, piece);
  coded_ += piece.size();
  if (decoder_->take(piece, [&](std::string_view decoded) { return take_decoded(head, decoded); }))
    return true;
  if (!decoder_->damaged()) return false;  // Refused below.
  return refuse(Failure{Failure::Kind::protocol,
                        fmt::format("{} sent a compressed body that is damaged", host_of(wanted_.url))});
}

bool Receiver::take_decoded(const Head& head, std::string_view piece) {
  const bool at_once = make_part_ && !part_ && piece.size() == total_;
  if (make_part_ && !part_ && !at_once && !begin_part(head)) return false;
  received_ += piece.size();
  if (verdict_ == Verdict::rest && part_->size() + piece.size() > *total_) {
    too_much_ = true;
    return false;
  }
  const std::uint64_t size = part_ ? part_->size() + piece.size() : received_;
  if (wanted_.max_size && size > *wanted_.max_size) return refuse_too_long();
  if (wanted_.expect.size && size > *wanted_.expect.size) {
    if (part_) part_->give_up();
    return refuse(NotAsExpected{fmt::format("the body has more than {} bytes", *wanted_.expect.size)});
  }
  if (digest_) digest_->update(piece);
  if (at_once) {
    at_once_ = piece;
    return true;
  }
  if (part_) {
    const auto written = part_->write(piece);
    return written || refuse_local(written.error());
  }
  if (wanted_.take) {
    const auto taken = wanted_.take(piece);
    return taken || refuse_local(taken.error());
  }
  if (body_.size() + piece.size() > longest_kept_body)
    return refuse(Failure{Failure::Kind::too_large,
                          fmt::format("the body is longer than {} MB; name an `output` file for it",
                                      longest_kept_body / 1'000'000),
                          true});
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
