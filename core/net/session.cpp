#include "core/net/session.hpp"

#include "core/net/exchange.hpp"
#include "core/net/multi.hpp"
#include "core/net/redirect.hpp"
#include "core/net/trust.hpp"

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

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

Session::Session(async::Loop& loop) : Session(loop, Options()) {}
Session::Session(async::Loop& loop, Options options) : loop_(loop), options_(options) {}
Session::~Session() = default;

Multi& Session::multi() {
  if (!trust_) {
    const curl_version_info_data* const built = curl().version_info(CURLVERSION_NOW);
    trust_ =
        std::make_unique<const TrustSource>(find_trust({text_of(built->cainfo), text_of(built->capath)}));
  }
  if (!multi_) multi_ = std::make_unique<Multi>(loop_, options_.idle_connections);
  return *multi_;
}

void Session::close_connections() noexcept { multi_.reset(); }

async::Co<std::expected<Answer, Failure>> Session::request(const Request& request, BodySink& sink) {
  const Patience patience{options_.connect_timeout, options_.stall_timeout};
  LastBody last_body(request, sink);
  std::optional<Request> hop;  // The request itself is never copied: its body may be large.
  for (int followed = 0;; ++followed) {
    Exchange exchange(multi(), *trust_, hop ? *hop : request, patience, last_body);
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
