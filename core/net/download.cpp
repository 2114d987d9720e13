#include "core/net/download.hpp"

#include "core/async/thread/to_thread.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/net/curl.hpp"
#include "core/net/digest.hpp"
#include "core/net/existing.hpp"
#include "core/net/part_file.hpp"
#include "core/net/receiver.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

/// For a thread of the pool. Nothing if the file can't be read.
std::optional<Digest> digest_of(OwnDescriptor file, std::uint64_t size, Algorithm algorithm) {
  Digest digest(algorithm);
  if (!update_from(digest, file.number(), size)) return std::nullopt;
  return digest;
}

/// For a thread of the pool: errno, or 0.
int sync(OwnDescriptor file) { return file.valid() && fsync(file.number()) == 0 ? 0 : errno; }

std::string cannot_sync(const std::filesystem::path& path, int error) {
  return fmt::format("can't force {} onto the disk: {}", inert(path.native()), system_error_text(error));
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
    if (wanted_.output && wanted_.if_exists != IfExists::overwrite && wanted_.method == "GET")
      if (auto result = co_await look_at_existing()) co_return std::move(*result);
    if (wanted_.output)
      if (auto failed = open_part()) co_return std::move(*failed);
    if (part_ && part_->note() && part_->note()->source == source_of(wanted_.url)) {
      const bool readable = co_await begin_with_part();
      if (readable) {
        auto result = co_await ask(Receiver::Question::rest);
        if (result) co_return std::move(*result);
      }
      if (const auto emptied = part_->start_over(); !emptied) co_return LocalFailure{emptied.error()};
    }
    if (const auto algorithm = wanted_.algorithm()) digest_.emplace(*algorithm);
    request_.conditions.clear();
    if (known_) {
      if (!known_->etag.empty()) request_.conditions.emplace_back("If-None-Match", known_->etag);
      if (!known_->last_modified.empty())
        request_.conditions.emplace_back("If-Modified-Since", known_->last_modified);
    }
    auto result = co_await ask(known_ ? Receiver::Question::if_changed : Receiver::Question::all);
    co_return std::move(*result);
  }

 private:
  /// The result, if the file that is there settles it; else known_ may be set.
  async::Co<std::optional<DownloadResult>> look_at_existing() {
    std::error_code ignored;
    const auto type = std::filesystem::symlink_status(*wanted_.output, ignored).type();
    if (type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::none)
      co_return std::nullopt;
    if (wanted_.if_exists == IfExists::fail)
      co_return LocalFailure{fmt::format("{} is there already", inert(wanted_.output->native()))};
    auto existing = existing_file(*wanted_.output);
    if (!existing) co_return std::nullopt;  // A link is replaced, and what is no file refused, as always.
    Fetched fetched;
    fetched.bytes = existing_size_ = existing->size;
    fetched.from = Fetched::From::existing;
    if (wanted_.if_exists == IfExists::skip) co_return fetched;
    if (wanted_.checksum) {
      auto digest = co_await async::to_thread(&digest_of, std::move(existing->file), existing->size,
                                              wanted_.checksum->algorithm);
      if (digest) fetched.digest = digest->hex();
      if (fetched.digest == wanted_.checksum->hex) co_return fetched;
    } else if (existing->version && existing->version->source == source_of(wanted_.url) &&
               !has_header(wanted_, "if-none-match") && !has_header(wanted_, "if-modified-since")) {
      known_ = std::move(existing->version);
    }
    co_return std::nullopt;
  }

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
    OwnDescriptor twin = OwnDescriptor::twin_of(part_->descriptor());
    if (!twin.valid()) co_return false;
    auto hashed = co_await async::to_thread(&digest_of, std::move(twin), part_->size(), *wanted_.algorithm());
    if (!hashed) co_return false;
    digest_ = std::move(hashed);
    co_return true;
  }

  /// One request. Nothing if the part turned out to be of no use; only where the rest was asked for.
  async::Co<std::optional<DownloadResult>> ask(Receiver::Question question) {
    const std::uint64_t had = question == Receiver::Question::rest ? part_->size() : 0;
    Receiver receiver(wanted_, part_, digest_, question);
    const auto answer = co_await session_.request(request_, receiver);
    if (auto failed = conclude(answer, receiver)) co_return std::move(*failed);
    if (receiver.useless()) co_return std::nullopt;
    const bool went_on = receiver.verdict(answer->head) != Receiver::Verdict::whole;
    co_return co_await finish(*answer, receiver, went_on ? had : 0);
  }

  /// How it ended; nothing if the body is whole, or the part of no use.
  std::optional<DownloadResult> conclude(const std::expected<Answer, Failure>& answer, Receiver& receiver) {
    if (receiver.given_up()) return unexpected_status(*receiver.given_up(), receiver.error_body());
    if (!receiver.refusal().empty()) return LocalFailure{receiver.refusal()};
    if (receiver.useless()) return std::nullopt;
    if (!answer && answer.error().kind == Failure::Kind::local) return LocalFailure{answer.error().why};
    if (!answer) return answer.error();
    const Receiver::Verdict verdict = receiver.verdict(answer->head);
    if (!receiver.refusal().empty()) return LocalFailure{receiver.refusal()};
    switch (verdict) {
      case Receiver::Verdict::useless:
        return std::nullopt;
      case Receiver::Verdict::unexpected:
        return unexpected_status(answer->head, receiver.error_body());
      case Receiver::Verdict::whole:
        if (answer->head.status == 206 && !has_header(wanted_, "range"))
          return protocol_failure(*answer, "sent a part (status 206) that was not asked for");
        return std::nullopt;
      case Receiver::Verdict::rest:
        if (part_->size() != *receiver.total())
          return Failure{Failure::Kind::truncated,
                         fmt::format("{} sent a range that ends after {} of {} bytes", host_of(answer->url),
                                     part_->size(), *receiver.total())};
        return std::nullopt;
      case Receiver::Verdict::had_all:
        return std::nullopt;
      case Receiver::Verdict::unchanged:
        return Fetched{answer->head.status, existing_size_, std::nullopt, "", Fetched::From::cache, 0};
    }
    return std::nullopt;
  }

  async::Co<DownloadResult> finish(const Answer& answer, Receiver& receiver, std::uint64_t had) {
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
        co_return ChecksumMismatch{wanted_.checksum->hex, *fetched.digest};
      }
    }
    if (!part_) co_return fetched;
    if (auto why = dress(answer.head)) co_return LocalFailure{std::move(*why)};
    if (wanted_.fsync != Fsync::never)
      if (const int error = co_await async::to_thread(&sync, OwnDescriptor::twin_of(part_->descriptor())))
        co_return LocalFailure{cannot_sync(*wanted_.output, error)};
    if (const auto published = part_->publish(); !published) co_return LocalFailure{published.error()};
    if (wanted_.fsync == Fsync::full) {
      const auto parent = wanted_.output->parent_path();
      OwnDescriptor folder(open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (const int error = co_await async::to_thread(&sync, std::move(folder)))
        co_return LocalFailure{cannot_sync(parent, error)};
    }
    co_return fetched;
  }

  /// Gives the part the mode, time and version that the file is to have; why it can't.
  std::optional<std::string> dress(const Head& head) {
    if (wanted_.mode && fchmod(part_->descriptor(), *wanted_.mode) != 0)
      return fmt::format("can't change the mode of {}: {}", inert(wanted_.output->native()),
                         system_error_text(errno));
    const auto changed = head.headers.get("last-modified");
    if (wanted_.mtime && changed)
      if (const std::time_t date = curl().getdate(std::string(*changed).c_str(), nullptr); date != -1) {
        const timespec times[2]{{0, UTIME_OMIT}, {date, 0}};
        futimens(part_->descriptor(), times);  // An owner's right; no reason to lose a whole file.
      }
    if (wanted_.if_exists == IfExists::verify && !wanted_.checksum && wanted_.method == "GET")
      if (const auto version = part_->note() ? part_->note() : note_for(wanted_.url, head))
        stick_version(part_->descriptor(), *version);
    return std::nullopt;
  }

  Session& session_;
  const Download& wanted_;
  Request request_;
  std::optional<PartFile> part_;
  std::optional<Digest> digest_;
  std::optional<PartNote> known_;  // Version of the file that is there.
  std::uint64_t existing_size_ = 0;
};

}  // namespace

async::Co<DownloadResult> download(Session& session, const Download& wanted) {
  Attempt attempt(session, wanted);
  co_return co_await attempt.run();
}

}  // namespace gather::net
