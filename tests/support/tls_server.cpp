#include "tests/support/tls_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <utility>

namespace gather::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

[[noreturn]] void fail(const char* what) { throw std::runtime_error(what); }

Bio reading(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all};
}

Certificate certificate_in(const std::string& pem) {
  return {PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr), &X509_free};
}

Key key_in(const std::string& pem) {
  return {PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
}

std::string written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Credentials pem_of(X509* certificate, EVP_PKEY* key) {
  const Bio first(BIO_new(BIO_s_mem()), &BIO_free_all), second(BIO_new(BIO_s_mem()), &BIO_free_all);
  PEM_write_bio_X509(first.get(), certificate);
  PEM_write_bio_PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {written(first.get()), written(second.get())};
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (extension == nullptr) fail("can't make a certificate for a test");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate blank(const std::string& name, EVP_PKEY* key, long from, long until) {
  static long serial = 1;
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

int offered_protocols(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                      unsigned length, void* text) {
  auto& names = *static_cast<std::string*>(text);
  names.clear();
  for (unsigned i = 0; i < length; i += 1U + in[i]) {
    const std::string_view name(reinterpret_cast<const char*>(in + i + 1), in[i]);
    if (!names.empty()) names += ',';
    names += name;
    if (name != "http/1.1") continue;
    *out = in + i + 1;
    *size = in[i];
  }
  return *size == 0 ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

int http2_alone(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                unsigned length, void*) {
  return SSL_select_next_proto(const_cast<unsigned char**>(out), size,
                               reinterpret_cast<const unsigned char*>("\x02h2"), 3, in,
                               length) == OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Authority::Authority(std::string name) {
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate certificate = blank(name, key.get(), -3600, 3600);
  X509* const own = certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  extend(own, own, NID_subject_key_identifier, "hash");
  X509_sign(own, key.get(), EVP_sha256());
  own_ = pem_of(own, key.get());
}

Credentials Authority::issue(const std::string& name, long from, long until) const {
  const Certificate issuer = certificate_in(own_.certificate);
  const Key signs = key_in(own_.key);
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate certificate = blank(name, key.get(), from, until);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  const bool address = name.find_first_not_of("0123456789.") == std::string::npos;
  extend(certificate.get(), issuer.get(), NID_subject_alt_name, (address ? "IP:" : "DNS:") + name);
  X509_sign(certificate.get(), signs.get(), EVP_sha256());
  return pem_of(certificate.get(), key.get());
}

TlsServer::TlsServer(const Credentials& credentials, Script script, Options options)
    : script_(std::move(script)),
      http2_(options.http2),
      context_(SSL_CTX_new(TLS_server_method())),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto* const context = static_cast<SSL_CTX*>(context_);
  std::signal(SIGPIPE, SIG_IGN);
  SSL_CTX_use_certificate(context, certificate_in(credentials.certificate).get());
  SSL_CTX_use_PrivateKey(context, key_in(credentials.key).get());
  if (http2_)
    SSL_CTX_set_alpn_select_cb(context, &http2_alone, nullptr);
  else
    SSL_CTX_set_alpn_select_cb(context, &offered_protocols, &offered_);
  if (options.old_versions_only) {
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
  }
  if (!options.client_authority.empty()) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate_in(options.client_authority).get());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("test"), 4);
  }

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, plain, size) != 0 || listen(listener_, 64) != 0 || pipe2(stop_, O_CLOEXEC) != 0 ||
      getsockname(listener_, plain, &size) != 0)
    fail("no server for a test");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { serve_all(); });
}

TlsServer::~TlsServer() {
  (void)!write(stop_[1], "x", 1);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  for (const int descriptor : {listener_, stop_[0], stop_[1]}) close(descriptor);
  SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

std::string TlsServer::url(std::string_view target, std::string_view host) const {
  return "https://" + std::string(host) + ":" + std::to_string(port_) + std::string(target);
}

std::vector<TlsServer::Request> TlsServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string TlsServer::offered() const {
  const std::lock_guard lock(mutex_);
  return offered_;
}

void TlsServer::serve_all() {
  for (int number = 1;; ++number) {
    std::array<pollfd, 2> watched{pollfd{listener_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0) return;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) connections_.emplace_back([this, socket, number] { on_connection(socket, number); });
  }
}

void TlsServer::on_connection(int socket, int number) {
  serve(socket, number);
  close(socket);
}

void TlsServer::serve(int socket, int number) {
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(static_cast<SSL_CTX*>(context_)), &SSL_free);
  SSL_set_fd(ssl.get(), socket);
  {
    const std::lock_guard lock(mutex_);  // The callback writes offered_.
    if (SSL_accept(ssl.get()) != 1) return;
  }
  Request request;
  request.connection = number;
  if (const Certificate client(SSL_get1_peer_certificate(ssl.get()), &X509_free); client != nullptr) {
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(client.get()), NID_commonName, name.data(), name.size());
    request.client = name.data();
  }
  for (std::string read;;) {
    if (const std::size_t end = read.find("\r\n\r\n"); end != std::string::npos) {
      request.head = read.substr(0, end + 2);
      read.erase(0, end + 4);
      std::string answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        answer = script_(request);
      }
      if (http2_ && !request.head.starts_with("SM")) continue;  // The first half of the preface.
      if (SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size())) <= 0) return;
      if (http2_) {  // What is unread at a close would be answered with a reset, which overtakes the frames.
        SSL_shutdown(ssl.get());
        shutdown(socket, SHUT_WR);
        std::array<char, 4096> unread{};
        std::array<pollfd, 2> watched{pollfd{socket, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
        while (poll(watched.data(), watched.size(), -1) > 0 && watched[1].revents == 0 &&
               recv(socket, unread.data(), unread.size(), 0) > 0) {
        }
        return;
      }
      continue;
    }
    std::array<pollfd, 2> watched{pollfd{socket, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    if (SSL_pending(ssl.get()) == 0) poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0) return;
    std::array<char, 4096> piece{};
    const int size = SSL_read(ssl.get(), piece.data(), static_cast<int>(piece.size()));
    if (size <= 0) return;
    read.append(piece.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace gather::test
