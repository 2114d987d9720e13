#include "core/net/public_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace gather::net {
namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint8_t, 16>;

template <class Address>
struct Block {
  Address address;
  unsigned bits;
};

constexpr std::array<Block<V4>, 15> not_public_v4{{
    {{0}, 8},              // This network.
    {{10}, 8},             // Private.
    {{100, 64}, 10},       // A carrier's.
    {{127}, 8},            // This machine.
    {{169, 254}, 16},      // This link, and what clouds tell their machines.
    {{172, 16}, 12},       // Private.
    {{192, 0, 0}, 24},     // Protocols.
    {{192, 0, 2}, 24},     // Documentation.
    {{192, 88, 99}, 24},   // 6to4 relays, deprecated.
    {{192, 168}, 16},      // Private.
    {{198, 18}, 15},       // Benchmarks.
    {{198, 51, 100}, 24},  // Documentation.
    {{203, 0, 113}, 24},   // Documentation.
    {{224}, 4},            // Multicast.
    {{240}, 4},            // Reserved, and broadcast.
}};

constexpr Block<V6> global_v6{{0x20}, 3};  // Of which the following are not.
constexpr std::array<Block<V6>, 3> not_public_v6{{
    {{0x20, 0x01, 0x00}, 23},        // Protocols, Teredo among them.
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // Documentation.
    {{0x3f, 0xff, 0x00}, 20},        // Documentation.
}};

// Where an IPv4 address is inside, and at which byte.
struct Holding {
  Block<V6> block;
  std::size_t at;
};
constexpr std::array<Holding, 3> holding_v4{{
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},  // The same in IPv6's clothes.
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},                    // Translated on the way.
    {{{0x20, 0x02}, 16}, 2},                                 // 6to4.
}};

template <class Address>
bool is_in(const Block<Address>& block, const Address& address) noexcept {
  const std::size_t whole = block.bits / 8;
  const unsigned rest = block.bits % 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  block.address.begin()))
    return false;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00u >> rest);
  return (address[whole] & mask) == (block.address[whole] & mask);
}

bool is_public(const V4& address) noexcept {
  return std::ranges::none_of(not_public_v4, [&](const auto& block) { return is_in(block, address); });
}

bool is_public(const V6& address) noexcept {
  for (const Holding& holding : holding_v4)
    if (is_in(holding.block, address)) {
      V4 inside{};
      std::ranges::copy(std::span(address).subspan(holding.at, inside.size()), inside.begin());
      return is_public(inside);
    }
  return is_in(global_v6, address) &&
         std::ranges::none_of(not_public_v6, [&](const auto& block) { return is_in(block, address); });
}

template <class Address, class From>
Address bytes_of(const From& from) noexcept {
  Address bytes;
  static_assert(sizeof bytes == sizeof from);
  std::memcpy(bytes.data(), &from, sizeof from);
  return bytes;
}

}  // namespace

bool is_public(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET)
    return is_public(bytes_of<V4>(reinterpret_cast<const sockaddr_in&>(address).sin_addr));
  if (address.sa_family == AF_INET6)
    return is_public(bytes_of<V6>(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr));
  return false;
}

std::string text_of(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes =
      address.sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
          : &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (address.sa_family != AF_INET && address.sa_family != AF_INET6) return {};
  return inet_ntop(address.sa_family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

}  // namespace gather::net
