#include "core/net/download.hpp"

#include "core/async/thread/to_thread.hpp"
#include "core/base/quote.hpp"
#include "core/net/curl.hpp"
#include "core/net/digest.hpp"
#include "core/net/part_file.hpp"
#include "core/net/receiver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>
#include <string_view>

namespace gather::net {
namespace {

constexpr std::size_t shown_of_error = 200;

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

/// Closed wherever it ends up.
class OwnDescriptor {
 public:
  explicit OwnDescriptor(int number) noexcept : number_(number) {}
  OwnDescriptor(OwnDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  OwnDescriptor& operator=(OwnDescriptor&&) = delete;
  ~OwnDescriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// For a thread of the pool. Nothing if the file can't be read.
std::optional<Digest> digest_of(OwnDescriptor file, std::uint64_t size, Algorithm algorithm) {
  Digest digest(algorithm);
  if (!update_from(digest, file.number(), size)) return std::nullopt;
  return digest;
}

bool has_header(const Download& wanted, std::string_view name) {
  return std::ranges::any_of(wanted.headers,
                             [&](const auto& header) { return same_name(header.first, name); });
}

/// Ours are the ranges and conditions of a plain GET for a file; those of the user are left alone.
bool may_resume(const Download& wanted) {
  return wanted.resume && wanted.method == "GET" && expects(wanted, 200) && !has_header(wanted, "range") &&
         !has_header(wanted, "if-range") && !has_header(wanted, "accept-encoding");
}

Failure protocol_failure(const Answer& answer, std::string_view what) {
  return {Failure::Kind::protocol, fmt::format("{} {}", host_of(answer.url), what)};
}

/// One download while it goes on: at most two requests, the second where the first one's answer showed that
/// the part is of no use.
class Attempt {
 public:
  Attempt(Session& session, const Download& wanted)
      : session_(session), wanted_(wanted), request_{wanted.url,       wanted.method,   wanted.headers,
                                                     wanted.body,      wanted.expected, {},
                                                     wanted.transport, wanted.parts} {}

  async::Co<DownloadResult> run() {
    if (auto fault = fault_in(request_)) co_return LocalFailure{std::move(*fault)};
    if (wanted_.output)
      if (auto failed = open_part()) co_return std::move(*failed);
    if (part_ && part_->note() && part_->note()->source == source_of(wanted_.url)) {
      const bool readable = co_await begin_with_part();
      if (readable) {
        auto result = co_await ask(true);
        if (result) co_return std::move(*result);
      }
      if (const auto emptied = part_->start_over(); !emptied) co_return LocalFailure{emptied.error()};
    }
    if (const auto algorithm = wanted_.algorithm()) digest_.emplace(*algorithm);
    request_.conditions.clear();
    auto result = co_await ask(false);
    co_return std::move(*result);
  }

 private:
  std::optional<LocalFailure> open_part() {
    auto created = PartFile::create(*wanted_.output);
    if (!created) return LocalFailure{std::move(created.error())};
    part_.emplace(std::move(*created));
    if (!may_resume(wanted_))
      if (const auto emptied = part_->start_over(); !emptied) return LocalFailure{emptied.error()};
    return std::nullopt;
  }

  /// Asks for what is behind the part, whose bytes go into the digest first. False if they can't be read.
  async::Co<bool> begin_with_part() {
    request_.conditions = {{"Range", fmt::format("bytes={}-", part_->size())},
                           {"If-Range", part_->note()->validator()},
                           {"Accept-Encoding", "identity"}};
    if (!wanted_.algorithm()) co_return true;
    // The call may outlive us if we are cancelled, so it has a descriptor of its own.
    const int descriptor = fcntl(part_->descriptor(), F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) co_return false;
    auto hashed =
        co_await async::to_thread(&digest_of, OwnDescriptor(descriptor), part_->size(), *wanted_.algorithm());
    if (!hashed) co_return false;
    digest_ = std::move(hashed);
    co_return true;
  }

  /// One request. Nothing if the part turned out to be of no use; only where it is `resuming`.
  async::Co<std::optional<DownloadResult>> ask(bool resuming) {
    const std::uint64_t had = resuming ? part_->size() : 0;
    Receiver receiver(wanted_, part_, digest_, resuming);
    const auto answer = co_await session_.request(request_, receiver);
    co_return conclude(answer, receiver, had);
  }

  std::optional<DownloadResult> conclude(const std::expected<Answer, Failure>& answer, Receiver& receiver,
                                         std::uint64_t had) {
    if (receiver.given_up()) return unexpected_status(*receiver.given_up(), receiver.error_body());
    if (!receiver.refusal().empty()) return LocalFailure{receiver.refusal()};
    if (receiver.useless()) return std::nullopt;
    if (!answer && answer.error().kind == Failure::Kind::local) return LocalFailure{answer.error().why};
    if (!answer) return answer.error();
    switch (receiver.verdict(answer->head)) {
      case Receiver::Verdict::useless:
        return std::nullopt;
      case Receiver::Verdict::unexpected:
        return unexpected_status(answer->head, receiver.error_body());
      case Receiver::Verdict::whole:
        if (!receiver.refusal().empty()) return LocalFailure{receiver.refusal()};
        if (answer->head.status == 206 && !has_header(wanted_, "range"))
          return protocol_failure(*answer, "sent a part (status 206) that was not asked for");
        return finish(*answer, receiver, 0);
      case Receiver::Verdict::rest:
        if (part_->size() != *receiver.total())
          return Failure{Failure::Kind::truncated,
                         fmt::format("{} sent a range that ends after {} of {} bytes", host_of(answer->url),
                                     part_->size(), *receiver.total())};
        [[fallthrough]];
      case Receiver::Verdict::had_all:
        break;
    }
    return finish(*answer, receiver, had);
  }

  DownloadResult finish(const Answer& answer, Receiver& receiver, std::uint64_t had) {
    Fetched fetched;
    fetched.status = answer.head.status;
    fetched.bytes = had + receiver.received();
    fetched.body = std::move(receiver.body());
    fetched.from = had != 0 ? Fetched::From::resumed : Fetched::From::network;
    fetched.resumed_from = had;
    if (digest_) fetched.digest = digest_->hex();
    if (wanted_.checksum) {
      if (*fetched.digest != wanted_.checksum->hex) {
        if (part_) part_->give_up();
        return ChecksumMismatch{wanted_.checksum->hex, *fetched.digest};
      }
    }
    if (part_)
      if (const auto published = part_->publish(); !published) return LocalFailure{published.error()};
    return fetched;
  }

  Session& session_;
  const Download& wanted_;
  Request request_;
  std::optional<PartFile> part_;
  std::optional<Digest> digest_;
};

}  // namespace

async::Co<DownloadResult> download(Session& session, const Download& wanted) {
  Attempt attempt(session, wanted);
  co_return co_await attempt.run();
}

}  // namespace gather::net
