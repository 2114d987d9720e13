#include "core/net/client_error.hpp"

#include "core/base/quote.hpp"
#include "core/net/url.hpp"

#include <fmt/format.h>

#include <utility>

namespace gather::net {
namespace {

bool worth_another_try(int status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

}  // namespace

ClientError::ClientError(const std::string& sentence, std::string url, bool permanent)
    : std::runtime_error(sentence), url_(without_secrets(url)), permanent_(permanent) {}

ClientConnectionError::ClientConnectionError(const Failure& failure, std::string url)
    : ClientError(failure.why, std::move(url), failure.permanent), kind_(failure.kind) {}

ClientResponseError::ClientResponseError(int status, std::string reason, Headers headers, std::string url)
    : ClientError(fmt::format("{} answered {}{}{}", without_secrets(url), status, reason.empty() ? "" : " ",
                              inert(reason)),
                  url, !worth_another_try(status)),
      status_(status),
      reason_(std::move(reason)),
      headers_(std::move(headers)) {}

void raise(const Failure& failure, const std::string& url, bool answered) {
  using Kind = Failure::Kind;
  switch (failure.kind) {
    case Kind::timeout:
      throw ServerTimeoutError(failure.why, url, failure.permanent);
    case Kind::truncated:
      if (answered) throw ClientPayloadError(failure.why, url, failure.permanent);
      throw ServerDisconnectedError(failure, url);
    case Kind::redirect:
      throw RedirectError(failure.why, url, failure.permanent);
    case Kind::protocol:
      if (answered) throw ClientPayloadError(failure.why, url, failure.permanent);
      throw ClientProtocolError(failure.why, url, failure.permanent);
    case Kind::dns:
    case Kind::connect:
    case Kind::tls:
    case Kind::too_large:  // Of downloads alone; a session tells by its own error.
    case Kind::local:
      break;
  }
  throw ClientConnectionError(failure, url);
}

}  // namespace gather::net
