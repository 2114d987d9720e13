/// Which addresses anybody on the internet may have, and which lead into a network of one's own.
#pragma once

#include <sys/socket.h>

#include <string>

namespace gather::net {

/// Whether `address` is one of the public internet: not of this machine, a private or local network, a
/// carrier's, a multicast group, documentation or reserved; of an IPv6 address that holds an IPv4 one, both.
/// No address of another family than the two is.
///
/// Source: IANA, IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), what is not globally reachable.
bool is_public(const sockaddr& address) noexcept;

/// As people write it, without the port; empty for other families.
std::string text_of(const sockaddr& address);

}  // namespace gather::net
