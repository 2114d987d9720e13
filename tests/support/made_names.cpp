/// Loaded into a program before all else (LD_PRELOAD), answers for names that no name server knows:
///
/// - below slow.test: nothing, for twenty seconds; a name server that does not answer.
/// - below outside.test: 8.8.8.8, a public address; whoever connects to it is connected to 127.0.0.1 instead.
/// - below inside.test: 127.0.0.1.
/// - below both.test: 127.0.0.1 first, and then 8.8.8.8.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

namespace {

constexpr const char* outside = "8.8.8.8";
constexpr const char* inside = "127.0.0.1";

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  static auto* const look_up = real<decltype(getaddrinfo)>("getaddrinfo");
  const std::string_view name = node == nullptr ? "" : node;
  if (name.ends_with(".slow.test")) {
    sleep(20);
    return EAI_AGAIN;
  }
  if (name.ends_with(".outside.test")) return look_up(outside, service, hints, result);
  if (name.ends_with(".inside.test")) return look_up(inside, service, hints, result);
  if (!name.ends_with(".both.test")) return look_up(node, service, hints, result);
  addrinfo* second = nullptr;
  if (const int error = look_up(inside, service, hints, result); error != 0) return error;
  if (look_up(outside, service, hints, &second) != 0) return 0;
  addrinfo* last = *result;
  while (last->ai_next != nullptr) last = last->ai_next;
  last->ai_next = second;
  return 0;
}

extern "C" int connect(int socket, const sockaddr* address, socklen_t size) {
  static auto* const call = real<decltype(connect)>("connect");
  if (address->sa_family != AF_INET || size < sizeof(sockaddr_in)) return call(socket, address, size);
  sockaddr_in to{};
  std::memcpy(&to, address, sizeof to);
  if (to.sin_addr.s_addr != inet_addr(outside)) return call(socket, address, size);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return call(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}
