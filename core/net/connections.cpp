#include "core/net/connections.hpp"

#include "core/async/thread/to_thread.hpp"
#include "core/net/multi.hpp"
#include "core/net/trust.hpp"

#include <string>

namespace gather::net {
namespace {

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

Connections::Connections(async::Loop& loop, std::size_t idle) noexcept : loop_(loop), idle_(idle) {}
Connections::~Connections() = default;

async::Co<> Connections::load(Libraries needed) {
  if (loaded(needed)) co_return;
  const auto guard = co_await loading_.scoped();  // One thread is enough.
  if (!loaded(needed)) co_await async::to_thread(&load_libraries, needed);
}

Multi& Connections::multi(HttpVersion version) {
  std::unique_ptr<Multi>& multi = wants_http2(version) ? for_http2_ : for_http1_;
  if (!multi) multi = std::make_unique<Multi>(loop_, idle_);
  return *multi;
}

const TrustSource& Connections::trust() {
  if (!trust_) {
    const curl_version_info_data* const built = curl().version_info(CURLVERSION_NOW);
    trust_ =
        std::make_unique<const TrustSource>(find_trust({text_of(built->cainfo), text_of(built->capath)}));
  }
  return *trust_;
}

void Connections::close() noexcept {
  for_http1_.reset();
  for_http2_.reset();
}

}  // namespace gather::net
