#include "core/net/connection_limits.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace gather::net {
namespace {

std::ptrdiff_t as_permits(std::size_t limit) {
  return static_cast<std::ptrdiff_t>(
      std::min<std::size_t>(limit, std::numeric_limits<std::ptrdiff_t>::max()));
}

}  // namespace

ConnectionLimits::ConnectionLimits(std::size_t in_all, std::size_t per_origin)
    : in_all_(as_permits(in_all)), per_origin_(as_permits(per_origin)), free_(in_all_) {}

ConnectionLimits::Lease::Lease(ConnectionLimits& limits, Places::iterator place) noexcept
    : limits_(&limits), place_(place) {
  ++place_->second.users;
}

ConnectionLimits::Lease::Lease(Lease&& other) noexcept
    : limits_(std::exchange(other.limits_, nullptr)),
      place_(other.place_),
      counts_for_place_(other.counts_for_place_),
      counts_for_all_(other.counts_for_all_) {}

void ConnectionLimits::Lease::release() noexcept {
  if (limits_ == nullptr) return;
  ConnectionLimits& limits = *std::exchange(limits_, nullptr);
  if (counts_for_all_) limits.free_.release();
  if (counts_for_place_) place_->second.free.release();
  if (--place_->second.users == 0) limits.places_.erase(place_);
}

async::Co<ConnectionLimits::Lease> ConnectionLimits::enter(std::string origin) {
  Lease lease(*this, places_.try_emplace(std::move(origin), per_origin_).first);
  if (per_origin_ != 0) {
    co_await lease.place_->second.free.acquire();
    lease.counts_for_place_ = true;
  }
  if (in_all_ != 0) {
    co_await free_.acquire();
    lease.counts_for_all_ = true;
  }
  co_return std::move(lease);
}

void ConnectionLimits::let_all_in() noexcept {
  for (auto& [origin, place] : places_)
    for (std::size_t i = 0; i < place.users; ++i) {
      place.free.release();
      free_.release();
    }
}

}  // namespace gather::net
