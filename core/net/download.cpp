#include "core/net/download.hpp"

#include "core/async/thread/blocking.hpp"
#include "core/async/thread/to_thread.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/net/content_decoder.hpp"
#include "core/net/curl.hpp"
#include "core/net/existing.hpp"
#include "core/net/file_work.hpp"
#include "core/net/http_date.hpp"
#include "core/net/page_turner.hpp"
#include "core/net/part_file.hpp"
#include "core/net/receiver.hpp"
#include "core/net/unexpected_status.hpp"
#include "core/net/url.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace gather::net {
namespace {

constexpr std::uint64_t large = 4'000'000;

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

  async::Co<> run() {
    if (auto fault = fault_in(request_)) co_return fail(std::move(*fault));
    folder_ = folder_without_output();
    if (folder_ < 0 && wanted_.output && !wanted_.path && wanted_.if_exists != IfExists::overwrite &&
        wanted_.method == "GET" && co_await look_at_existing())
      co_return;
    if (folder_ < 0 && wanted_.output)
      if (auto failed = open_part()) co_return end(std::move(*failed));
    if (wanted_.algorithm() && !loaded(Libraries::curl_and_crypto))  // Before a digest would.
      co_await session_.load(Libraries::curl_and_crypto);
    if (!wanted_.mirrors.empty()) keep_secrets_at_home();
    if (wanted_.pages) co_return co_await join_pages();
    if (const auto question = question_for_rest()) {
      const bool readable = co_await begin_with_part(*question);
      if (readable && co_await ask(*question)) co_return;
      if (const auto emptied = part_->start_over(); !emptied) co_return fail(emptied.error());
    }
    if (const auto algorithm = wanted_.algorithm()) digest_.emplace(*algorithm);
    request_.conditions.clear();
    if (wanted_.compressed) request_.conditions.emplace_back("Accept-Encoding", accepted_codings);
    if (known_) {
      if (!known_->etag.empty()) request_.conditions.emplace_back("If-None-Match", known_->etag);
      if (!known_->last_modified.empty())
        request_.conditions.emplace_back("If-Modified-Since", known_->last_modified);
    }
    co_await ask(known_ ? Receiver::Question::if_changed : Receiver::Question::all);
  }

  /// After run(): adds the digest of a file that was there already, if it is to be told.
  async::Co<> tell_of_existing() {
    auto* const fetched = std::get_if<Fetched>(&result_);
    if (fetched == nullptr || fetched->digest || !wanted_.output || !wanted_.algorithm()) co_return;
    const std::filesystem::path path =
        fetched->path ? *fetched->path : std::filesystem::path(*wanted_.output);
    auto existing = existing_file(path);
    if (!existing) co_return fail(fmt::format("can't read {}", inert(path.native())));
    if (!loaded(Libraries::curl_and_crypto)) co_await session_.load(Libraries::curl_and_crypto);
    auto digest = co_await async::to_thread(&digest_of, std::move(existing->file), existing->size,
                                            *wanted_.algorithm());
    if (!digest) co_return fail(fmt::format("can't read {}", inert(path.native())));
    fetched->digest = digest->hex();
  }

  /// How it ended. Once run() has.
  DownloadResult& result() noexcept { return result_; }

 private:
  void end(DownloadResult result) noexcept { result_ = std::move(result); }
  void fail(std::string why) noexcept { result_.emplace<LocalFailure>(std::move(why)); }

  /// Writes the items of all pages as one body.
  async::Co<> join_pages() {
    if (part_)
      if (const auto emptied = part_->start_over(); !emptied) co_return fail(emptied.error());
    if (const auto algorithm = wanted_.algorithm()) digest_.emplace(*algorithm);
    Download joined = wanted_;
    joined.expect.head = {};  // Which each page was held to, as it was counted.
    joined.received = nullptr;
    joined.compressed = false;
    Answer answer;
    answer.head.status = wanted_.expected.empty() ? 200 : wanted_.expected.front();
    answer.head.chunked = true;
    answer.url = wanted_.url;
    Receiver receiver(joined, part_, digest_, Receiver::Question::all);
    std::string_view before = "[";
    auto failed = co_await turn_pages(session_, wanted_, request_, [&](std::string_view items) {
      if (items.empty()) return true;
      return receiver.take(answer.head, std::exchange(before, ",")) && receiver.take(answer.head, items);
    });
    if (failed) co_return end(std::move(*failed));
    if (!receiver.refusal()) receiver.take(answer.head, before == "[" ? "[]\n" : "]\n");
    if (receiver.refusal()) co_return end(std::move(*receiver.refusal()));
    co_await finish(answer, receiver, 0);
  }

  /// Whether the file that is there settles it; else known_ may be set.
  async::Co<bool> look_at_existing() {
    std::error_code ignored;
    const auto type = std::filesystem::symlink_status(*wanted_.output, ignored).type();
    if (type == std::filesystem::file_type::not_found) before_ = PartFile::Before::absent;
    if (type == std::filesystem::file_type::not_found || type == std::filesystem::file_type::none)
      co_return false;
    if (wanted_.if_exists == IfExists::fail) {
      fail(is_there_already(*wanted_.output));
      co_return true;
    }
    if (wanted_.if_exists == IfExists::skip && type == std::filesystem::file_type::regular) {
      Fetched skipped;  // Also one that can't be read.
      skipped.bytes = std::filesystem::file_size(*wanted_.output, ignored);
      skipped.from = Fetched::From::existing;
      end(std::move(skipped));
      co_return true;
    }
    auto existing = existing_file(*wanted_.output);
    if (!existing) co_return false;  // A link is replaced, and what is no file refused, as always.
    Fetched fetched;
    fetched.bytes = existing_size_ = existing->size;
    fetched.from = Fetched::From::existing;
    if (wanted_.expect.size && existing->size != *wanted_.expect.size) co_return false;
    if (wanted_.expect.body) {
      OwnDescriptor twin = OwnDescriptor::twin_of(existing->file.number());
      const auto fault =
          co_await async::to_thread(&fault_in_file, std::move(twin), existing->size, wanted_.expect.body);
      if (fault) co_return false;
    }
    if (wanted_.checksum) {
      auto digest = co_await async::to_thread(&digest_of, std::move(existing->file), existing->size,
                                              wanted_.checksum->algorithm);
      if (digest) fetched.digest = digest->hex();
      if (fetched.digest == wanted_.checksum->hex) {
        end(std::move(fetched));
        co_return true;
      }
    } else if (existing->version && existing->version->source == source_of(wanted_.url) &&
               !has_header(wanted_, "if-none-match") && !has_header(wanted_, "if-modified-since")) {
      known_ = std::move(existing->version);
    }
    co_return false;
  }

  /// Where the output may get its file at once, nothing being in its way; -1 if it needs a part from the
  /// beginning.
  int folder_without_output() const {
    const bool may_replace =
        wanted_.if_exists == IfExists::overwrite || wanted_.if_exists == IfExists::verify;
    if (!wanted_.folders || !wanted_.output || wanted_.path || wanted_.pages || !may_replace ||
        wanted_.fsync != Fsync::never || wanted_.method != "GET")
      return -1;
    return wanted_.folders->absent_from(*wanted_.output);
  }

  std::optional<LocalFailure> open_part() {
    if (wanted_.folders) wanted_.folders->appeared(*wanted_.output);
    auto created = PartFile::create(*wanted_.output, before_);
    if (!created) return LocalFailure{std::move(created.error())};
    part_.emplace(std::move(*created));
    if (!may_resume(wanted_))
      if (const auto emptied = part_->start_over(); !emptied) return LocalFailure{emptied.error()};
    return std::nullopt;
  }

  /// What is for the first of the mirrors is not for the others.
  void keep_secrets_at_home() {
    const std::string& home = wanted_.mirrors.front();
    if (wanted_.transport->trust_redirects || wanted_.url == home ||
        origin_of(wanted_.url) == origin_of(home))
      return;
    request_.headers.clear();
    if (request_.transport->certificate) request_.transport.edit().certificate.reset();
  }

  /// How to ask for what is behind the part; nothing if that is to come from its beginning.
  std::optional<Receiver::Question> question_for_rest() const {
    if (!part_ || !part_->note()) return std::nullopt;
    const PartNote& note = *part_->note();
    if (!note.mixed && note.source == source_of(wanted_.url)) return Receiver::Question::rest;
    if (!wanted_.checksum) return std::nullopt;
    const bool of_mirror = std::ranges::any_of(
        wanted_.mirrors, [&](const std::string& url) { return note.source == source_of(url); });
    return of_mirror ? std::optional(Receiver::Question::rest_of_mirror) : std::nullopt;
  }

  /// Asks for what is behind the part, whose bytes go into the digest first. False if they can't be read.
  async::Co<bool> begin_with_part(Receiver::Question question) {
    request_.conditions = {{"Range", fmt::format("bytes={}-", part_->size())},
                           {"Accept-Encoding", "identity"}};
    if (question == Receiver::Question::rest)
      request_.conditions.emplace_back("If-Range", part_->note()->validator());
    if (!wanted_.algorithm()) co_return true;
    // The call may outlive us if we are cancelled, so it has a descriptor of its own.
    OwnDescriptor twin = OwnDescriptor::twin_of(part_->descriptor());
    if (!twin.valid()) co_return false;
    auto hashed = co_await async::to_thread(&digest_of, std::move(twin), part_->size(), *wanted_.algorithm());
    if (!hashed) co_return false;
    digest_ = std::move(hashed);
    co_return true;
  }

  /// One request. False if the part turned out to be of no use; only where the rest was asked for.
  async::Co<bool> ask(Receiver::Question question) {
    using enum Receiver::Question;
    const std::uint64_t had = question == rest || question == rest_of_mirror ? part_->size() : 0;
    Receiver::MakePart make_part;
    if (folder_ >= 0) make_part = [this] { return open_part(); };
    Receiver receiver(wanted_, part_, digest_, question, std::move(make_part));
    auto answer = co_await session_.request(request_, receiver, wanted_.trail);
    if (auto failed = conclude(answer, receiver)) {
      end(std::move(*failed));
      co_return true;
    }
    if (receiver.useless()) co_return false;
    const bool went_on = receiver.verdict(answer->head) != Receiver::Verdict::whole;
    co_await finish(*answer, receiver, went_on ? had : 0);
    // Two mirrors that differ: the one at hand may yet have the right bytes.
    co_return !(went_on && question == rest_of_mirror && std::holds_alternative<ChecksumMismatch>(result_));
  }

  /// How it ended; nothing if the body is whole, or the part of no use.
  std::optional<DownloadResult> conclude(const std::expected<Answer, Failure>& answer, Receiver& receiver) {
    if (receiver.given_up()) return unexpected_status(*receiver.given_up(), receiver.error_body());
    if (receiver.refusal()) return std::move(receiver.refusal());
    if (receiver.useless()) return std::nullopt;
    if (!answer && answer.error().kind == Failure::Kind::local) return LocalFailure{answer.error().why};
    if (!answer) return answer.error();
    const Receiver::Verdict verdict = receiver.verdict(answer->head);
    if (receiver.refusal()) return std::move(receiver.refusal());
    switch (verdict) {
      case Receiver::Verdict::useless:
        return std::nullopt;
      case Receiver::Verdict::unexpected:
        return unexpected_status(answer->head, receiver.error_body());
      case Receiver::Verdict::whole:
        if (answer->head.status == 206 && !has_header(wanted_, "range"))
          return protocol_failure(*answer, "sent a part (status 206) that was not asked for");
        if (!receiver.decoded_to_end(answer->head))
          return Failure{Failure::Kind::truncated,
                         fmt::format("{} sent a compressed body that ends too early", host_of(answer->url))};
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
        return Fetched{.status = answer->head.status,
                       .bytes = existing_size_,
                       .from = Fetched::From::cache,
                       .headers = told_headers(answer->head)};
    }
    return std::nullopt;
  }

  std::shared_ptr<const Headers> told_headers(const Head& head) const {
    return wanted_.tell_headers ? std::make_shared<const Headers>(head.headers) : nullptr;
  }

  /// Makes the whole body the output, if it is as expected.
  async::Co<> finish(Answer& answer, Receiver& receiver, std::uint64_t had) {
    if (part_)
      if (const auto flushed = part_->flush(); !flushed) co_return fail(flushed.error());
    // In its place from the beginning: it is large, and moved for each coroutine that it passes.
    Fetched& fetched = result_.emplace<Fetched>();
    fetched.status = answer.head.status;
    fetched.bytes = had + receiver.received();
    fetched.body = std::move(receiver.body());
    fetched.from = had != 0 ? Fetched::From::resumed : Fetched::From::network;
    fetched.resumed_from = had;
    fetched.url = std::move(answer.url);
    fetched.unverified_length = !receiver.proven_whole(answer.head);
    fetched.headers = told_headers(answer.head);
    if (digest_) fetched.digest = digest_->hex();
    if (wanted_.checksum && *fetched.digest != wanted_.checksum->hex) {
      if (part_) part_->give_up();
      co_return end(ChecksumMismatch{wanted_.checksum->hex, *fetched.digest});
    }
    const bool came_at_once = wanted_.output && !part_;
    std::string& text = came_at_once ? receiver.at_once() : fetched.body;
    if (wanted_.expect.size || wanted_.expect.body)
      if (auto unexpected = co_await hold_to_expectations(fetched, text)) {
        if (part_) part_->give_up();
        co_return end(std::move(*unexpected));
      }
    if (came_at_once)
      if (auto failed = co_await put_at_once(answer.head, std::move(text))) co_return end(std::move(*failed));
    if (part_) co_await publish(fetched, answer.head, receiver.path());
  }

  /// Gives the part its name.
  async::Co<> publish(Fetched& fetched, const Head& head, const std::filesystem::path& path) {
    if (const int error = give_attributes(part_->descriptor(), attributes(head)))
      co_return end(cannot("change the mode of", error));
    if (wanted_.fsync != Fsync::never)
      if (const int error =
              co_await async::to_thread(&sync_to_disk, OwnDescriptor::twin_of(part_->descriptor())))
        co_return fail(cannot_sync(*wanted_.output, error));
    if (wanted_.path) fetched.path = path;
    if (wanted_.path && wanted_.if_exists == IfExists::verify)
      if (auto existing = existing_file(path)) {
        auto part = OwnDescriptor::twin_of(part_->descriptor());
        part_->give_up();
        if (!co_await async::to_thread(&same_content, std::move(part), std::move(existing->file)))
          fail(is_there_already(path) + " with other content");
        co_return;
      }
    // The system frees what a replaced file held when its last descriptor goes: 1 GB takes it 20 to 120 ms.
    const char* const named = wanted_.path ? path.c_str() : wanted_.output->c_str();
    OwnDescriptor replaced(fetched.bytes < large ? -1 : open(named, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const auto published =
        wanted_.path ? part_->publish_as(path, wanted_.if_exists == IfExists::overwrite) : part_->publish();
    if (!published) co_return fail(published.error());
    if (replaced.valid()) co_await async::to_thread(&let_go, std::move(replaced));
    if (wanted_.fsync == Fsync::full) {
      const auto parent = std::filesystem::path(*wanted_.output).parent_path();
      OwnDescriptor folder(open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (const int error = co_await async::to_thread(&sync_to_disk, std::move(folder)))
        co_return fail(cannot_sync(parent, error));
    }
  }

  /// What the whole body must be; nothing if it is.
  async::Co<std::optional<NotAsExpected>> hold_to_expectations(const Fetched& fetched,
                                                               const std::string& text) {
    const Expectations& expect = wanted_.expect;
    if (expect.size && fetched.bytes != *expect.size && wanted_.method != "HEAD")
      co_return NotAsExpected{fmt::format("the body has {} bytes, not {}", fetched.bytes, *expect.size)};
    if (!expect.body || wanted_.take) co_return std::nullopt;
    auto fault = part_
                     ? co_await async::to_thread(&fault_in_file, OwnDescriptor::twin_of(part_->descriptor()),
                                                 fetched.bytes, expect.body)
                     : co_await async::to_thread(&fault_in_text, text, expect.body);
    if (!fault) co_return std::nullopt;
    co_return NotAsExpected{std::move(*fault)};
  }

  /// Makes the output of a body that needed no part; or a part with all of it, where there is a file of that
  /// name by now, or the file system wants one.
  async::Co<std::optional<LocalFailure>> put_at_once(const Head& head, std::string body) {
    const std::string& path = *wanted_.output;
    NewFile file{folder_, path.substr(path.rfind('/') + 1), std::move(body), attributes(head)};
    std::optional<NewFileOutcome> made;
    try {
      made = co_await async::blocking(wanted_.folders->maker(), [&file] { return make_new_file(file); });
    } catch (const std::system_error&) {  // There are too many threads in the system for one of ours.
      made = make_new_file(file);
    }
    if (made->fault == NewFileOutcome::Fault::write) co_return cannot("write", made->error);
    if (made->fault == NewFileOutcome::Fault::mode) co_return cannot("change the mode of", made->error);
    if (!made->body_left) co_return std::nullopt;
    if (auto failed = open_part()) co_return failed;
    if (const auto emptied = part_->start_over(); !emptied) co_return LocalFailure{emptied.error()};
    if (const auto written = part_->write(*made->body_left); !written)
      co_return LocalFailure{written.error()};
    co_return std::nullopt;
  }

  LocalFailure cannot(std::string_view what, int error) const {
    return {fmt::format("can't {} {}: {}", what, inert(*wanted_.output), system_error_text(error))};
  }

  /// The mode, time and version that the output is to have.
  Attributes attributes(const Head& head) const {
    Attributes wanted{wanted_.mode, {}, {}};
    if (wanted_.mtime)
      if (const auto changed = head.headers.get("last-modified")) wanted.changed = http_date(*changed);
    if (wanted_.if_exists == IfExists::verify && !wanted_.checksum && !wanted_.path &&
        wanted_.method == "GET") {
      if (part_ && part_->note())
        wanted.version = part_->note();
      else
        wanted.version = version_for(wanted_.url, head);
    }
    return wanted;
  }

  Session& session_;
  const Download& wanted_;
  Request request_;
  DownloadResult result_;
  int folder_ = -1;  // Where the output is new, so that its part is made only when it is needed.
  PartFile::Before before_ = PartFile::Before::unknown;
  std::optional<PartFile> part_;
  std::optional<Digest> digest_;
  std::optional<PartNote> known_;  // Version of the file that is there.
  std::uint64_t existing_size_ = 0;
};

}  // namespace

async::Co<DownloadResult> download(Session& session, const Download& wanted) {
  Attempt attempt(session, wanted);
  co_await attempt.run();
  if (wanted.tell_of_existing) co_await attempt.tell_of_existing();
  co_return std::move(attempt.result());
}

}  // namespace gather::net
