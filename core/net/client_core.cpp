#include "core/net/client_core.hpp"

#include "core/net/client_error.hpp"
#include "core/net/streamed_exchange.hpp"

#include <utility>

namespace gather::net {
namespace {

constexpr std::size_t idle_without_limit = 256;
const Failure session_closed{Failure::Kind::local, "the session is closed", true};

}  // namespace

ClientCore::ClientCore(async::Loop& on, ClientOptions with)
    : loop(on),
      options(std::move(with)),
      connections(on, options.limit == 0 ? idle_without_limit : options.limit),
      limits(options.limit, options.limit_per_host) {}

void ClientCore::close() noexcept {
  if (std::exchange(closed_, true)) return;
  while (!under_way.empty()) (*under_way.begin())->close(session_closed);
  limits.let_all_in();
  connections.close();
}

void ClientCore::check_open(const std::string& url) const {
  if (closed_) throw ClientConnectionError(session_closed, url);
}

}  // namespace gather::net
