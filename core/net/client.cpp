#include "core/net/client.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/running.hpp"
#include "core/base/quote.hpp"
#include "core/net/authorization.hpp"
#include "core/net/client_core.hpp"
#include "core/net/redirect.hpp"
#include "core/net/streamed_exchange.hpp"
#include "core/net/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gather::net {
namespace {

using Core = std::shared_ptr<ClientCore>;

// So much of a redirect's body is read to keep its connection; a longer one costs a new connection.
constexpr std::size_t longest_redirect_body = 64 * 1024;

Request make_request(const ClientOptions& session, std::string method, const std::string& url,
                     RequestOptions& options) {
  auto target = target_of(session.base_url, url, options.query);
  if (!target)
    throw InvalidURL(fmt::format("{} is no URL of http or https", in_quotes(without_secrets(url))), url,
                     true);
  Headers headers = options.headers;
  for (const auto& [name, value] : session.headers)
    if (!options.headers.contains(name)) headers.add(name, value);
  if (!options.body.content_type().empty() && !headers.contains("Content-Type"))
    headers.add("Content-Type", options.body.content_type());
  std::optional<BasicAuth> auth = options.auth;
  if (!auth && target->login) auth = BasicAuth{target->login->first, target->login->second};
  if (!auth) auth = session.auth;
  if (auth && !headers.contains("Authorization"))
    headers.add("Authorization", basic_authorization(auth->user, auth->password));
  Request request{std::move(target->url),
                  std::move(method),
                  {headers.begin(), headers.end()},
                  std::move(options.body.bytes()),
                  {}};
  if (const auto fault = fault_in(request)) throw std::invalid_argument(*fault);
  return request;
}

std::string spelled(const Origin& origin) {
  return fmt::format("{}://{}:{}", origin.scheme, origin.host, origin.port);
}

/// What is left of the limits of one call.
class Clock {
 public:
  Clock(async::Loop& loop, const ClientTimeout& limits) : loop_(loop), limits_(limits) {
    if (limits.total) deadline_ = Deadline{loop.now() + *limits.total, *limits.total};
  }

  const std::optional<Deadline>& deadline() const noexcept { return deadline_; }

  /// Leave for a connection, and how long may then be waited for what.
  struct Entry {
    ConnectionLimits::Lease lease;
    Patience patience;
  };

  async::Co<Entry> enter(ClientCore& core, const std::string& url) const {
    const async::TimePoint began = loop_.now();
    std::optional<async::TimePoint> until;
    if (limits_.connect) until = began + *limits_.connect;
    if (deadline_ && (!until || deadline_->when < *until)) until = deadline_->when;
    std::optional<ConnectionLimits::Lease> lease;
    try {
      lease.emplace(
          co_await async::timeout_at(until, [&] { return core.limits.enter(spelled(origin_of(url))); }));
    } catch (const async::TimeoutError&) {
      const Duration limit = deadline_ && *until == deadline_->when ? deadline_->length : *limits_.connect;
      throw ServerTimeoutError(
          fmt::format("no connection to {} was free within {}", host_of(url), show(limit)), url, false);
    }
    core.check_open(url);
    co_return Entry{std::move(*lease), patience(loop_.now() - began)};
  }

 private:
  Patience patience(Duration waited) const {
    using std::chrono::milliseconds;
    Duration connect = limits_.sock_connect.value_or(longest_duration);
    if (limits_.connect)  // Up to a whole number, since it is told when it has passed.
      connect = std::min<Duration>(connect, std::chrono::ceil<milliseconds>(*limits_.connect - waited));
    return {std::max<Duration>(connect, milliseconds(1)), limits_.sock_read.value_or(longest_duration)};
  }

  async::Loop& loop_;
  const ClientTimeout& limits_;
  std::optional<Deadline> deadline_;
};

async::Co<> read_off(StreamedExchange& exchange) {
  std::size_t count = 0;
  while (const auto piece = co_await exchange.next(ClientResponse::all)) {
    count += piece->size();
    if (count > longest_redirect_body) break;
  }
}

Request next_hop(const StreamedExchange& exchange, const Request& first, bool streamed) {
  const Request& request = exchange.request();
  const std::string location(exchange.head().headers.get("Location", ""));
  auto next = redirected(request, first, exchange.head().status, resolved(request.url, location));
  if (!next) raise(next.error(), request.url, true);
  if (streamed && next->method == request.method)
    throw RedirectError(
        fmt::format("{} redirects, and the body can't be sent a second time", host_of(request.url)),
        request.url, true);
  return std::move(*next);
}

async::Co<ClientResponse> perform(Core core, std::string method, std::string url, RequestOptions options) {
  core->check_open(url);
  const ClientTimeout timeout = options.timeout.value_or(core->options.timeout);
  const Clock clock(core->loop, timeout);
  Request request = make_request(core->options, std::move(method), url, options);
  const Request first{request.url, request.method, request.headers, std::nullopt, {}};
  const bool follows = options.allow_redirects.value_or(request.method != "HEAD");
  const bool streamed = static_cast<bool>(options.body.source());
  for (int followed = 0;; ++followed) {
    if (const Libraries needed = needed_for(request.url); !loaded(needed))
      co_await core->connections.load(needed);
    Clock::Entry entry = co_await clock.enter(*core, request.url);
    auto exchange = std::make_shared<StreamedExchange>(core, std::move(entry.lease), std::move(request),
                                                       entry.patience, clock.deadline());
    const bool uploads = streamed && followed == 0;
    exchange->begin(uploads ? &options.body : nullptr);
    if (uploads) co_await exchange->upload(options.body);
    co_await exchange->answered();
    if (!follows || !redirects(exchange->head().status) || !exchange->head().has_location) {
      ClientResponse response(std::move(exchange));
      if (core->options.raise_for_status) response.raise_for_status();
      co_return std::move(response);
    }
    if (followed >= options.max_redirects)
      throw TooManyRedirects(fmt::format("{} redirected {} times", host_of(first.url), followed + 1),
                             first.url, true);
    request = next_hop(*exchange, first, streamed);
    co_await read_off(*exchange);
  }
}

}  // namespace

ClientSession::ClientSession(async::Loop& loop, ClientOptions options)
    : core_(std::make_shared<ClientCore>(loop, std::move(options))) {}

ClientSession::ClientSession(ClientOptions options)
    : ClientSession(async::get_running_loop(), std::move(options)) {}

ClientSession::~ClientSession() { close(); }

async::Co<ClientResponse> ClientSession::request(std::string method, std::string url,
                                                 RequestOptions options) {
  return perform(core_, std::move(method), std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::get(std::string url, RequestOptions options) {
  return request("GET", std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::head(std::string url, RequestOptions options) {
  return request("HEAD", std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::options(std::string url, RequestOptions options) {
  return request("OPTIONS", std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::post(std::string url, RequestOptions options) {
  return request("POST", std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::put(std::string url, RequestOptions options) {
  return request("PUT", std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::patch(std::string url, RequestOptions options) {
  return request("PATCH", std::move(url), std::move(options));
}

async::Co<ClientResponse> ClientSession::delete_(std::string url, RequestOptions options) {
  return request("DELETE", std::move(url), std::move(options));
}

void ClientSession::close() noexcept { core_->close(); }
bool ClientSession::closed() const noexcept { return core_->closed(); }

}  // namespace gather::net
