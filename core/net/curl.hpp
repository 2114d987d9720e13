/// libcurl and libcrypto as tables of functions, loaded when the first transfer needs them; and their
/// handles, owned. Knows nothing of requests. Only files of core/net include this.
#pragma once

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <zlib.h>

#include <memory>
#include <string>

namespace gather::net {

/// What we call of libcurl. Linking it would cost every start of the program three milliseconds; see
/// core/README.md, "Libraries loaded late".
struct CurlApi {
  unsigned version;  // 0x075801 is 7.88.1.
  decltype(&curl_global_init_mem) global_init_mem;
  decltype(&curl_version_info) version_info;
  decltype(&curl_getdate) getdate;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_easy_pause) easy_pause;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_setopt) multi_setopt;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_socket_action) multi_socket_action;
  CURLMcode (*multi_socket_all)(CURLM*, int* running);  // Deprecated, so its declaration is a warning.
  decltype(&curl_multi_info_read) multi_info_read;
  decltype(&curl_multi_strerror) multi_strerror;
  decltype(&curl_share_init) share_init;
  decltype(&curl_share_cleanup) share_cleanup;
  decltype(&curl_share_setopt) share_setopt;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
  decltype(&curl_mime_init) mime_init;
  decltype(&curl_mime_free) mime_free;
  decltype(&curl_mime_addpart) mime_addpart;
  decltype(&curl_mime_name) mime_name;
  decltype(&curl_mime_filename) mime_filename;
  decltype(&curl_mime_type) mime_type;
  decltype(&curl_mime_data) mime_data;
  decltype(&curl_mime_data_cb) mime_data_cb;
  decltype(&curl_url) url;
  decltype(&curl_url_cleanup) url_cleanup;
  decltype(&curl_url_set) url_set;
  decltype(&curl_url_get) url_get;
  decltype(&curl_free) free;
};

/// libcurl, loaded and initialised by the first call; later ones cost nothing. It is never unloaded.
///
/// Throws gather::Error, which names the package, if it is missing or too old.
const CurlApi& curl();

/// What we call of libcrypto.
struct CryptoApi {
  decltype(&EVP_MD_fetch) md_fetch;
  decltype(&EVP_MD_free) md_free;
  decltype(&EVP_MD_CTX_new) context_new;
  decltype(&EVP_MD_CTX_free) context_free;
  decltype(&EVP_DigestInit_ex) digest_init;
  decltype(&EVP_DigestUpdate) digest_update;
  decltype(&EVP_DigestFinal_ex) digest_final;
};

/// libcrypto, the same way.
const CryptoApi& crypto();

/// What we call of libssl: of the connections that libcurl makes with it.
struct SslApi {
  decltype(&SSL_get0_alpn_selected) get0_alpn_selected;
};

/// libssl, the same way, with the first request for HTTP/2.
const SslApi& ssl();

/// What we call of zlib.
struct ZlibApi {
  decltype(&::inflateInit2_) inflate_init;
  decltype(&::inflateReset) inflate_reset;
  decltype(&::inflate) inflate;
  decltype(&::inflateEnd) inflate_end;
};

/// zlib, the same way, with the first body that is compressed.
const ZlibApi& zlib();

struct CurlDeleter {
  void operator()(CURL* easy) const noexcept { curl().easy_cleanup(easy); }
};
struct CurlMultiDeleter {
  void operator()(CURLM* multi) const noexcept { curl().multi_cleanup(multi); }
};
struct CurlShareDeleter {
  void operator()(CURLSH* share) const noexcept { curl().share_cleanup(share); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const noexcept { curl().slist_free_all(list); }
};
struct CurlUrlDeleter {
  void operator()(CURLU* url) const noexcept { curl().url_cleanup(url); }
};
struct CurlTextDeleter {
  void operator()(char* text) const noexcept { curl().free(text); }
};

using Easy = std::unique_ptr<CURL, CurlDeleter>;
using MultiHandle = std::unique_ptr<CURLM, CurlMultiDeleter>;
using Share = std::unique_ptr<CURLSH, CurlShareDeleter>;
using CurlUrl = std::unique_ptr<CURLU, CurlUrlDeleter>;
using CurlText = std::unique_ptr<char, CurlTextDeleter>;

/// Lines for CURLOPT_HTTPHEADER.
class CurlList {
 public:
  void append(const std::string& line);
  curl_slist* get() const noexcept { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, CurlListDeleter> list_;
};

[[noreturn]] void refuse_option(CURLoption option, CURLcode code);

/// Throws gather::Error if libcurl does not know the option or refuses the value, std::bad_alloc if memory is
/// out. `value` is exactly of the type that the option's page names: long, curl_off_t, a pointer.
template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl().easy_setopt(easy, option, value); code != CURLE_OK)
    refuse_option(option, code);
}

}  // namespace gather::net
