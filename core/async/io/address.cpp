#include "core/async/io/address.hpp"

#include "core/async/io/stream_error.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace gather::async {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

template <int (*name_of)(int, sockaddr*, socklen_t*)>
Address ask(int descriptor) noexcept {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (name_of(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return Address(reinterpret_cast<const sockaddr*>(&storage), std::min<socklen_t>(length, sizeof storage));
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t length) noexcept : length_(length) {
  assert(length <= sizeof storage_);
  std::memcpy(&storage_, address, length);
}

std::optional<Address> Address::numeric(const std::string& host, std::uint16_t port) {
  sockaddr_in four{};
  if (uv_ip4_addr(host.c_str(), port, &four) == 0)
    return Address(reinterpret_cast<const sockaddr*>(&four), sizeof four);
  sockaddr_in6 six{};
  if (uv_ip6_addr(host.c_str(), port, &six) == 0)
    return Address(reinterpret_cast<const sockaddr*>(&six), sizeof six);
  return std::nullopt;
}

Address Address::unix_path(std::string_view path) {
  sockaddr_un address{};
  if (path.empty()) throw StreamError("a Unix socket without a path", ENOENT);
  if (path.size() >= sizeof address.sun_path) throw StreamError(path, ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const std::size_t end = path.front() == '\0' ? 0 : 1;
  return Address(reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(path_offset + path.size() + end));
}

std::string Address::host() const {
  if (family() != AF_INET && family() != AF_INET6) return {};
  std::array<char, NI_MAXHOST> text{};
  if (getnameinfo(get(), length_, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  return text.data();
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  return 0;
}

std::string Address::path() const {
  if (family() != AF_UNIX || length_ <= path_offset) return {};
  const char* const begin = reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
  const std::size_t most = length_ - path_offset;
  return *begin == '\0' ? std::string(begin, most) : std::string(begin, strnlen(begin, most));
}

std::string Address::text() const {
  if (family() != AF_UNIX) return family() == AF_UNSPEC ? std::string() : endpoint_text(host(), port());
  std::string text = path();
  if (!text.empty() && text.front() == '\0') text.front() = '@';
  return text;
}

Address Address::with_port(std::uint16_t port) const noexcept {
  Address other = *this;
  if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(other.storage_).sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(other.storage_).sin6_port = htons(port);
  return other;
}

bool operator==(const Address& one, const Address& other) noexcept {
  return one.length_ == other.length_ && std::memcmp(&one.storage_, &other.storage_, one.length_) == 0;
}

std::string endpoint_text(std::string_view host, std::uint16_t port) {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Address local_address(int descriptor) noexcept { return ask<&getsockname>(descriptor); }

Address remote_address(int descriptor) noexcept { return ask<&getpeername>(descriptor); }

}  // namespace gather::async
