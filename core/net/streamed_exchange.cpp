#include "core/net/streamed_exchange.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/net/client_core.hpp"
#include "core/net/client_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <stdexcept>
#include <utility>

namespace gather::net {
namespace {

/// A place in the queue of those who wait for a change.
class Change final : public async::WaitOp {
 public:
  explicit Change(async::WaitQueue& queue) noexcept : WaitOp(queue) {}
  bool await_ready() const noexcept { return false; }
  void await_resume() { leave(); }
};

}  // namespace

StreamedExchange::StreamedExchange(std::shared_ptr<ClientCore> core, ConnectionLimits::Lease lease,
                                   Request request, const Patience& patience,
                                   std::optional<Deadline> deadline)
    : RequestHeld{std::move(request)},
      HttpTransfer(core->connections.multi(held_.transport->http), core->connections.trust(), held_,
                   held_.transport->http, patience),
      core_(std::move(core)),
      lease_(std::move(lease)),
      deadline_(deadline) {}

StreamedExchange::~StreamedExchange() {
  stop();
  if (!over_) conclude(std::nullopt);
}

void StreamedExchange::begin(const RequestBody* upload) {
  if (upload != nullptr) set_upload(upload->length());
  core_->under_way.insert(this);
  if (deadline_) loop().arm(timer_, deadline_->when);
  start();
}

async::Co<> StreamedExchange::upload(RequestBody& body) {
  std::uint64_t made = 0;
  while (!outgoing_ended_) {
    while (!wants_outgoing_ && !over_ && !(head_complete() && head().status >= 300))
      co_await Change(changed_);
    if (!wants_outgoing_ || over_) co_return;
    std::optional<std::string> piece = co_await made_in_time(body.source());
    if (over_) co_return;
    if (piece && piece->empty()) continue;
    made += piece ? piece->size() : 0;
    if (body.length() && (piece ? made > *body.length() : made != *body.length()))
      throw std::length_error(fmt::format("a body of {} bytes was announced, and {}{} were made",
                                          *body.length(), piece ? "at least " : "", made));
    outgoing_ended_ = !piece;
    outgoing_ = std::move(piece).value_or("");
    sent_ = 0;
    wants_outgoing_ = false;
    resume();
  }
}

async::Co<std::optional<std::string>> StreamedExchange::made_in_time(BodySource& source) {
  std::optional<async::TimePoint> when;
  if (deadline_) when = deadline_->when;
  try {
    co_return co_await async::timeout_at(when, [&source] { return source(); });
  } catch (const async::TimeoutError&) {
    if (!when || loop().now() < *when) throw;  // The source's own.
    expire();
  }
  co_return std::nullopt;
}

async::Co<> StreamedExchange::answered() {
  while (!head_complete() && !over_) co_await Change(changed_);
  if (!head_complete()) fail();
}

async::Co<std::optional<std::string>> StreamedExchange::next(std::size_t most) {
  assert(most > 0);
  while (buffer_.empty() && !over_) co_await Change(changed_);
  if (!buffer_.empty()) co_return take(most);
  if (failure_) fail();
  co_return std::nullopt;
}

std::string StreamedExchange::take(std::size_t most) {
  std::string piece;
  if (most >= buffer_.size()) {
    piece = std::exchange(buffer_, {});
  } else {
    piece = buffer_.substr(0, most);
    buffer_.erase(0, most);
  }
  // Half empty, lest it stop and go for every few bytes.
  if (body_paused() && buffer_.size() <= core_->options.read_bufsize / 2) resume();
  return piece;
}

void StreamedExchange::fail() const { raise(*failure_, held_.url, head_complete()); }

HttpTransfer::Piece StreamedExchange::on_piece(std::string_view piece) noexcept {
  if (buffer_.size() >= core_->options.read_bufsize) return Piece::paused;
  try {
    buffer_ += piece;
  } catch (const std::bad_alloc&) {
    return Piece::refused;
  }
  changed_.complete_all();
  return Piece::taken;
}

std::size_t StreamedExchange::read_upload(char* buffer, std::size_t size) noexcept {
  const std::size_t count = std::min(size, outgoing_.size() - sent_);
  if (count != 0) {
    std::copy_n(outgoing_.data() + sent_, count, buffer);
    sent_ += count;
    return count;
  }
  if (outgoing_ended_) return 0;
  wants_outgoing_ = true;
  changed_.complete_all();
  return no_upload_yet;
}

void StreamedExchange::on_finished() noexcept {
  std::optional<Failure> why = failure();
  if (why && why->why.empty()) why->why = fmt::format("out of memory for what {} sends", host_of(held_.url));
  if (!why && !head_complete())
    why = Failure{Failure::Kind::truncated,
                  fmt::format("{} closed the connection before it answered", host_of(held_.url))};
  conclude(std::move(why));
}

void StreamedExchange::DeadlineTimer::on_time() noexcept {
  exchange.expiry_ = exchange.loop().call_soon([this] { exchange.expire(); });
}

void StreamedExchange::expire() noexcept {
  stop();
  conclude(Failure{Failure::Kind::timeout, fmt::format("no whole answer from {} within {}",
                                                       host_of(held_.url), show(deadline_->length))});
}

void StreamedExchange::close(const Failure& why) noexcept {
  buffer_ = {};
  if (over_) {
    if (!failure_) failure_ = why;
    return;
  }
  stop();
  conclude(why);
}

// The connection is free, or closed.
void StreamedExchange::conclude(std::optional<Failure> failure) noexcept {
  if (std::exchange(over_, true)) return;
  failure_ = std::move(failure);
  loop().disarm(timer_);
  expiry_.cancel();
  release();
  lease_.release();
  core_->under_way.erase(this);
  changed_.complete_all();
}

}  // namespace gather::net
