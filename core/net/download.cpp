#include "core/net/download.hpp"

#include "core/base/quote.hpp"
#include "core/net/curl.hpp"
#include "core/net/digest.hpp"
#include "core/net/part_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <string_view>

namespace gather::net {
namespace {

// Enough of an unexpected answer to name what is wrong; and so much more is read to keep the connection.
constexpr std::size_t kept_of_error = 4096;
constexpr std::uint64_t read_of_error = 256 * 1024;
constexpr std::size_t shown_of_error = 200;

bool expects(const Download& wanted, int status) {
  if (wanted.expected.empty()) return status >= 200 && status < 300;
  return std::ranges::find(wanted.expected, status) != wanted.expected.end();
}

/// Takes a body to where it belongs: the expected one to the part file or into memory, and into the digest;
/// of any other the beginning, for the message.
class Receiver final : public BodySink {
 public:
  Receiver(const Download& wanted, std::optional<PartFile>& part) : wanted_(wanted), part_(part) {
    if (wanted.sha256 || wanted.digest) digest_.emplace();
  }

  bool take(const Head& head, std::string_view piece) override {
    return expects(wanted_, head.status) ? take_wanted(piece) : take_unwanted(head, piece);
  }

  std::optional<Sha256>& digest() noexcept { return digest_; }
  std::string& body() noexcept { return body_; }
  const std::string& error_body() const noexcept { return error_body_; }
  /// Why take() refused; empty if it did not.
  const std::string& refusal() const noexcept { return refusal_; }
  /// The head of an unexpected answer whose body was too long to read to its end.
  const std::optional<Head>& given_up() const noexcept { return given_up_; }

 private:
  bool take_wanted(std::string_view piece) {
    if (digest_) digest_->update(piece);
    if (wanted_.received != nullptr) *wanted_.received += piece.size();
    if (part_) {
      const auto written = part_->write(piece);
      if (!written) refusal_ = written.error();
      return written.has_value();
    }
    if (wanted_.take) {
      const auto taken = wanted_.take(piece);
      if (!taken) refusal_ = taken.error();
      return taken.has_value();
    }
    if (body_.size() + piece.size() > longest_kept_body) {
      refusal_ = fmt::format("the answer is longer than {} MB; name an `output` file for it",
                             longest_kept_body / 1'000'000);
      return false;
    }
    body_ += piece;
    return true;
  }

  bool take_unwanted(const Head& head, std::string_view piece) {
    error_body_ += piece.substr(0, kept_of_error - error_body_.size());
    skipped_ += piece.size();
    if (skipped_ <= read_of_error) return true;
    given_up_ = head;
    return false;
  }

  const Download& wanted_;
  std::optional<PartFile>& part_;
  std::optional<Sha256> digest_;
  std::string body_;
  std::string error_body_;
  std::uint64_t skipped_ = 0;
  std::string refusal_;
  std::optional<Head> given_up_;
};

/// Seconds or a date, as from now and at least 0; nothing if it is neither.
std::optional<Duration> read_retry_after(const Head& head) {
  using std::chrono::seconds;
  if ((head.status != 429 && head.status != 503) || !head.retry_after) return std::nullopt;
  const std::string& text = *head.retry_after;
  std::int64_t wait = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wait);
  if (error == std::errc::result_out_of_range || end != text.data() + text.size()) {
    const std::time_t date = curl().getdate(text.c_str(), nullptr);
    if (date == -1) return std::nullopt;
    wait = date - std::time(nullptr);
  }
  return std::clamp<Duration>(seconds(std::min<std::int64_t>(wait, 1'000'000'000)), seconds(0),
                              longest_duration);
}

UnexpectedStatus unexpected_status(const Head& head, std::string_view body) {
  body = body.substr(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  std::string detail = inert(body.substr(0, std::min(body.find_first_of("\r\n"), shown_of_error)));
  return {head.status, std::move(detail), read_retry_after(head)};
}

/// A part of something, although none was asked for: no whole file, whatever its length says.
bool unasked_part(const Download& wanted, const Head& head) {
  return head.status == 206 && std::ranges::none_of(wanted.headers, [](const auto& header) {
           return header.first.size() == 5 &&
                  std::ranges::equal(header.first, std::string_view("range"), {},
                                     [](char c) { return static_cast<char>(c | 0x20); });
         });
}

}  // namespace

async::Co<DownloadResult> download(Session& session, const Download& wanted) {
  const Request request{wanted.url, wanted.method, wanted.headers, wanted.body, wanted.expected};
  if (auto fault = fault_in(request)) co_return LocalFailure{std::move(*fault)};
  std::optional<PartFile> part;
  if (wanted.output) {
    auto created = PartFile::create(*wanted.output);
    if (!created) co_return LocalFailure{std::move(created.error())};
    part.emplace(std::move(*created));
  }

  Receiver receiver(wanted, part);
  const auto answer = co_await session.request(request, receiver);

  if (receiver.given_up()) co_return unexpected_status(*receiver.given_up(), receiver.error_body());
  if (!receiver.refusal().empty()) co_return LocalFailure{receiver.refusal()};
  if (!answer && answer.error().kind == Failure::Kind::local) co_return LocalFailure{answer.error().why};
  if (!answer) co_return answer.error();
  if (!expects(wanted, answer->head.status)) co_return unexpected_status(answer->head, receiver.error_body());
  if (unasked_part(wanted, answer->head))
    co_return Failure{
        Failure::Kind::protocol,
        fmt::format("{} sent a part (status 206) that was not asked for", host_of(answer->url))};

  Fetched fetched{answer->head.status, answer->bytes, std::nullopt, std::move(receiver.body())};
  if (receiver.digest()) fetched.sha256 = receiver.digest()->hex();
  if (wanted.sha256) {
    if (*fetched.sha256 != *wanted.sha256) co_return ChecksumMismatch{*wanted.sha256, *fetched.sha256};
  }
  if (part)
    if (const auto published = part->publish(); !published) co_return LocalFailure{published.error()};
  co_return fetched;
}

}  // namespace gather::net
