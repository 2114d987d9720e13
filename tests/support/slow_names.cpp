/// Loaded into a program before all else (LD_PRELOAD), makes every lookup of a name below slow.test take
/// twenty seconds and fail: a name server that does not answer.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <string_view>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  if (node != nullptr && std::string_view(node).ends_with(".slow.test")) {
    sleep(20);
    return EAI_AGAIN;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}
