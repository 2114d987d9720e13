#include "core/net/curl.hpp"

#include "core/base/error.hpp"
#include "core/net/curl_memory.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GATHER_MALLOC_FOR_CURL 1
#endif
#endif

namespace gather::net {
namespace {

/// One shared library, by the name that its interface is versioned under.
class Library {
 public:
  Library(const char* soname, const char* package) : soname_(soname), package_(package) {
    // Lazily: with the libraries that libcurl needs there are thousands of functions that nobody will call.
    handle_ = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
    if (handle_ == nullptr) refuse(fmt::format("can't be loaded ({})", dlerror()));
  }

  template <class Function>
  void find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    if (function == nullptr) refuse(fmt::format("has no {}", name));
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ExitStatus::task_failed,
                fmt::format("can't fetch: {} {}; install the package {} of Debian 12 or a newer one", soname_,
                            why, package_));
  }

 private:
  const char* soname_;
  const char* package_;
  void* handle_;
};

/// With our memory, unless AddressSanitizer is to see what becomes of each piece; or with whatever a program
/// that uses libcurl itself has told it before.
CURLcode init(const CurlApi& api) {
#ifdef GATHER_MALLOC_FOR_CURL
  return api.global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, std::free, std::realloc, strdup, std::calloc);
#else
  return api.global_init_mem(
      CURL_GLOBAL_DEFAULT, [](std::size_t size) { return curl_memory.pool.allocate(size); },
      [](void* piece) { curl_memory.pool.release(piece); },
      [](void* piece, std::size_t size) { return curl_memory.pool.reallocate(piece, size); },
      [](const char* text) {
        const std::size_t size = std::strlen(text) + 1;
        void* const copy = curl_memory.pool.allocate(size);
        return static_cast<char*>(copy == nullptr ? nullptr : std::memcpy(copy, text, size));
      },
      [](std::size_t count, std::size_t size) {
        return size != 0 && count > SIZE_MAX / size ? nullptr
                                                    : curl_memory.pool.allocate_cleared(count * size);
      });
#endif
}

CurlApi load_curl() {
  const Library library("libcurl.so.4", "libcurl4");
  CurlApi api{};
  library.find(api.global_init_mem, "curl_global_init_mem");
  library.find(api.version_info, "curl_version_info");
  library.find(api.getdate, "curl_getdate");
  library.find(api.easy_init, "curl_easy_init");
  library.find(api.easy_cleanup, "curl_easy_cleanup");
  library.find(api.easy_reset, "curl_easy_reset");
  library.find(api.easy_setopt, "curl_easy_setopt");
  library.find(api.easy_getinfo, "curl_easy_getinfo");
  library.find(api.easy_strerror, "curl_easy_strerror");
  library.find(api.easy_pause, "curl_easy_pause");
  library.find(api.multi_init, "curl_multi_init");
  library.find(api.multi_cleanup, "curl_multi_cleanup");
  library.find(api.multi_setopt, "curl_multi_setopt");
  library.find(api.multi_add_handle, "curl_multi_add_handle");
  library.find(api.multi_remove_handle, "curl_multi_remove_handle");
  library.find(api.multi_socket_action, "curl_multi_socket_action");
  library.find(api.multi_socket_all, "curl_multi_socket_all");
  library.find(api.multi_info_read, "curl_multi_info_read");
  library.find(api.multi_strerror, "curl_multi_strerror");
  library.find(api.share_init, "curl_share_init");
  library.find(api.share_cleanup, "curl_share_cleanup");
  library.find(api.share_setopt, "curl_share_setopt");
  library.find(api.slist_append, "curl_slist_append");
  library.find(api.slist_free_all, "curl_slist_free_all");
  library.find(api.mime_init, "curl_mime_init");
  library.find(api.mime_free, "curl_mime_free");
  library.find(api.mime_addpart, "curl_mime_addpart");
  library.find(api.mime_name, "curl_mime_name");
  library.find(api.mime_filename, "curl_mime_filename");
  library.find(api.mime_type, "curl_mime_type");
  library.find(api.mime_data, "curl_mime_data");
  library.find(api.mime_data_cb, "curl_mime_data_cb");
  library.find(api.url, "curl_url");
  library.find(api.url_cleanup, "curl_url_cleanup");
  library.find(api.url_set, "curl_url_set");
  library.find(api.url_get, "curl_url_get");
  library.find(api.free, "curl_free");

  const curl_version_info_data* const version = api.version_info(CURLVERSION_NOW);
  api.version = version->version_num;
  if (api.version < 0x075700)  // CURLOPT_QUICK_EXIT, without which a slow lookup blocks the loop.
    library.refuse(fmt::format("is version {}, and 7.87 is needed", version->version));
  if (const CURLcode code = init(api); code != CURLE_OK)
    library.refuse(fmt::format("can't be initialised ({})", api.easy_strerror(code)));
  return api;
}

CryptoApi load_crypto() {
  const Library library("libcrypto.so.3", "libssl3");
  CryptoApi api{};
  library.find(api.md_fetch, "EVP_MD_fetch");
  library.find(api.md_free, "EVP_MD_free");
  library.find(api.context_new, "EVP_MD_CTX_new");
  library.find(api.context_free, "EVP_MD_CTX_free");
  library.find(api.digest_init, "EVP_DigestInit_ex");
  library.find(api.digest_update, "EVP_DigestUpdate");
  library.find(api.digest_final, "EVP_DigestFinal_ex");
  return api;
}

SslApi load_ssl() {
  const Library library("libssl.so.3", "libssl3");
  SslApi api{};
  library.find(api.get0_alpn_selected, "SSL_get0_alpn_selected");
  return api;
}

ZlibApi load_zlib() {
  const Library library("libz.so.1", "zlib1g");
  ZlibApi api{};
  library.find(api.inflate_init, "inflateInit2_");
  library.find(api.inflate_reset, "inflateReset");
  library.find(api.inflate, "inflate");
  library.find(api.inflate_end, "inflateEnd");
  return api;
}

}  // namespace

const CurlApi& curl() {
  static const CurlApi api = load_curl();
  return api;
}

const CryptoApi& crypto() {
  static const CryptoApi api = load_crypto();
  return api;
}

const SslApi& ssl() {
  static const SslApi api = load_ssl();
  return api;
}

const ZlibApi& zlib() {
  static const ZlibApi api = load_zlib();
  return api;
}

void CurlList::append(const std::string& line) {
  curl_slist* const longer = curl().slist_append(list_.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)list_.release();  // The same list as before, unless it was empty.
  list_.reset(longer);
}

void refuse_option(CURLoption option, CURLcode code) {
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  throw Error(ExitStatus::task_failed, fmt::format("can't fetch: libcurl {} refuses option {}: {}",
                                                   curl().version_info(CURLVERSION_NOW)->version,
                                                   static_cast<int>(option), curl().easy_strerror(code)));
}

}  // namespace gather::net
