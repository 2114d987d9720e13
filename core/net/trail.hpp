/// Trail: what a request's time went into and where it led, as plain data.
#pragma once

#include "core/base/duration.hpp"

#include <string>

namespace gather::net {

/// Where the time went, one after the other; of all requests on the way, where there were several. A phase
/// that a kept connection made needless is 0, and so is what was not reached.
struct Phases {
  Duration dns{};
  Duration connect{};
  Duration tls{};
  Duration first_byte{};  ///< From the request, which a body to send is part of, to the answer's first byte.
  Duration body{};

  Phases& operator+=(const Phases& other) noexcept {
    dns += other.dns;
    connect += other.connect;
    tls += other.tls;
    first_byte += other.first_byte;
    body += other.body;
    return *this;
  }
};

struct Trail {
  Phases phases;
  std::string url;  ///< After redirects; then without query and fragment, which may hold what opens a door.
  std::string http_version;  ///< Of the last answer: "1.0", "1.1", "2"; empty if there was none.
};

}  // namespace gather::net
