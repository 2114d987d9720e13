#include "core/net/session.hpp"

#include "core/net/exchange.hpp"
#include "core/net/redirect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace gather::net {
namespace {

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

}  // namespace

Session::Session(async::Loop& loop) : Session(loop, Options()) {}
Session::Session(async::Loop& loop, Options options)
    : options_(options), connections_(loop, options.idle_connections) {}

void Session::close_connections() noexcept { connections_.close(); }

async::Co<std::expected<Answer, Failure>> Session::request(const Request& request, BodySink& sink) {
  const Patience patience{options_.connect_timeout, options_.stall_timeout};
  LastBody last_body(request, sink);
  std::optional<Request> hop;  // The request itself is never copied: its body may be large.
  for (int followed = 0;; ++followed) {
    Exchange exchange(connections_.multi(), connections_.trust(), hop ? *hop : request, patience, last_body);
    Exchange::Ending ending = co_await exchange;
    if (!ending.answer || !leads_on(ending.answer->head, request)) co_return std::move(ending.answer);
    if (followed == most_redirects)
      co_return std::unexpected(
          Failure{Failure::Kind::redirect,
                  fmt::format("{} redirected {} times, the last time to {}", host_of(request.url),
                              most_redirects + 1, host_of(ending.location)),
                  true});
    auto next = redirected(hop ? *hop : request, request, ending.answer->head.status, ending.location);
    if (!next) co_return std::unexpected(std::move(next.error()));
    hop = std::move(*next);
  }
}

}  // namespace gather::net
