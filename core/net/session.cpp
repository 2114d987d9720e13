#include "core/net/session.hpp"

#include "core/net/curl.hpp"
#include "core/net/exchange.hpp"
#include "core/net/redirect.hpp"
#include "core/net/throttle.hpp"
#include "core/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace gather::net {
namespace {

constexpr std::size_t idle_when_separate = 16;
constexpr std::size_t most_separate = 16;  // Sets of connections; each holds two descriptors, used or not.

bool leads_on(const Head& head, const Request& request) {
  return redirects(head.status) && head.has_location &&
         std::ranges::find(request.expected, head.status) == request.expected.end();
}

/// Lets only the body of the last answer through.
class LastBody final : public BodySink {
 public:
  LastBody(const Request& request, BodySink& sink) noexcept : request_(request), sink_(sink) {}

  bool take(const Head& head, std::string_view piece) override {
    return leads_on(head, request_) || sink_.take(head, piece);
  }

 private:
  const Request& request_;
  BodySink& sink_;
};

/// Tells a trail of an exchange, however that ends.
class Followed {
 public:
  Followed(const Exchange& exchange, Trail* trail) noexcept : exchange_(exchange), trail_(trail) {}
  Followed(const Followed&) = delete;
  Followed& operator=(const Followed&) = delete;
  ~Followed() {
    if (trail_ == nullptr) return;
    trail_->phases += exchange_.phases();
    trail_->http_version = exchange_.http_version();  // Short enough never to need memory.
  }

 private:
  const Exchange& exchange_;
  Trail* trail_;
};

}  // namespace

Session::Session(async::Loop& loop) : Session(loop, Options()) {}
Session::Session(async::Loop& loop, Options options)
    : loop_(loop), options_(options), connections_(loop, options.idle_connections) {}

Session::~Session() = default;

void Session::limit_rate(std::uint64_t bytes_per_second) {
  throttle_ = std::make_unique<Throttle>(loop_, bytes_per_second);
}

void Session::close_connections() noexcept {
  connections_.close();
  separate_.clear();
  of_both_kinds_.clear();
}

/// The connections that a request may use, while it does.
class Session::Lease {
 public:
  Lease(Session& session, const std::string& key) : connections_(session.connections_) {
    if (key.empty()) return;
    if (!session.separate_.contains(key)) session.make_room();
    const auto [at, is_new] = session.separate_.try_emplace(key);
    separate_ = &at->second;  // Stays where it is while others come and go: a map.
    if (is_new) separate_->connections = std::make_unique<Connections>(session.loop_, idle_when_separate);
    ++separate_->users;
    separate_->last_use = ++session.uses_;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (separate_ != nullptr) --separate_->users;
  }

  Connections& connections() const noexcept {
    return separate_ == nullptr ? connections_ : *separate_->connections;
  }

 private:
  Connections& connections_;
  Separate* separate_ = nullptr;
};

void Session::make_room() {
  while (separate_.size() >= most_separate) {
    auto oldest = separate_.end();
    for (auto at = separate_.begin(); at != separate_.end(); ++at)
      if (at->second.users == 0 &&
          (oldest == separate_.end() || at->second.last_use < oldest->second.last_use))
        oldest = at;
    if (oldest == separate_.end()) return;  // All are in use: the slots of the run limit those.
    separate_.erase(oldest);
  }
}

HttpVersion Session::version_for(const Request& request) const {
  return of_both_kinds_.contains(origin_in(request.url)) ? HttpVersion::one : request.transport->http;
}

async::Co<> Session::load(Libraries needed) { return connections_.load(needed); }

async::Co<std::expected<Answer, Failure>> Session::request(const Request& request, BodySink& sink,
                                                           Trail* trail) {
  if (const Libraries needed = needed_for(request.url); !loaded(needed)) co_await load(needed);
  const Patience patience{options_.connect_timeout, options_.stall_timeout};
  LastBody last_body(request, sink);
  std::optional<Request> hop;  // The request itself is never copied: its body may be large.
  for (int followed = 0;; ++followed) {
    const Request& asked = hop ? *hop : request;
    const Lease lease(*this, connection_key(*asked.transport, asked.headers));
    const HttpVersion version = version_for(asked);
    Exchange exchange(lease.connections().multi(version), connections_.trust(), asked, version, patience,
                      last_body, throttle_.get());
    if (trail != nullptr) trail->url = hop ? without_secrets(asked.url) : asked.url;
    const Followed followed_to_its_end(exchange, trail);
    Exchange::Ending ending = co_await exchange;
    if (ending.crowded) {
      of_both_kinds_.emplace(origin_in(asked.url));
      --followed;
      continue;
    }
    if (!ending.answer || !leads_on(ending.answer->head, request)) co_return std::move(ending.answer);
    if (followed == request.transport->redirects)
      co_return std::unexpected(
          Failure{Failure::Kind::redirect,
                  fmt::format("{} redirected {} time{}, the last time to {}", host_of(request.url),
                              followed + 1, followed == 0 ? "" : "s", host_of(ending.location)),
                  true});
    auto next = redirected(asked, request, ending.answer->head.status, ending.location);
    if (!next) co_return std::unexpected(std::move(next.error()));
    hop = std::move(*next);
  }
}

}  // namespace gather::net
