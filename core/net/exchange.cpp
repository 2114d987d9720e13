#include "core/net/exchange.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

namespace gather::net {
namespace {

// Written in one piece per call. libcurl reads up to a hundred of these before it returns: 64 KB held the
// loop for 7 to 14 ms, 256 KB for 45 ms, and brought 10 to 20 % more throughput.
constexpr long buffer_size = 32 * 1024;

long in_milliseconds(Duration length) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(length).count());
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool names(const Request& request, std::string_view header) {
  return std::ranges::any_of(request.headers,
                             [&](const auto& entry) { return equal_ignoring_case(entry.first, header); });
}

template <class Value>
Value info(CURL* easy, CURLINFO which) {
  Value value{};
  curl().easy_getinfo(easy, which, &value);
  return value;
}

}  // namespace

Exchange::Exchange(Multi& multi, const TrustSource& trust, const Request& request, const Patience& patience,
                   BodySink& sink)
    : multi_(multi), request_(request), patience_(patience), sink_(sink), easy_(curl().easy_init()) {
  if (!easy_) throw std::bad_alloc();
  multi_.prepare(easy_.get(), *this);
  set_options(trust);
  set_method();
  set_headers();
}

Exchange::~Exchange() { stop_clock(); }

void Exchange::set_options(const TrustSource& trust) {
  CURL* const easy = easy_.get();
  set(easy, CURLOPT_URL, request_.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_CAINFO, trust.file.empty() ? nullptr : trust.file.c_str());
  set(easy, CURLOPT_CAPATH, trust.directory.empty() ? nullptr : trust.directory.c_str());
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, std::max(in_milliseconds(patience_.connect), 1L));
  set(easy, CURLOPT_BUFFERSIZE, buffer_size);
  set(easy, CURLOPT_ERRORBUFFER, text_.data());
  set(easy, CURLOPT_HEADERFUNCTION, &on_head);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, this);
}

void Exchange::set_method() {
  CURL* const easy = easy_.get();
  const std::string& method = request_.method;
  // A POST, PUT or PATCH without a body says so with Content-Length: 0.
  if (request_.body || method == "POST" || method == "PUT" || method == "PATCH") {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDS, request_.body ? request_.body->data() : "");
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE,
        static_cast<curl_off_t>(request_.body ? request_.body->size() : 0));
  } else if (method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  }
  set(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Exchange::set_headers() {
  // In libcurl's lists "Name:" takes a header away, and "Name;" sends it empty.
  for (const auto& [name, value] : request_.headers)
    headers_.append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  if (!names(request_, "content-type")) headers_.append("Content-Type:");  // Not a form unless said so.
  if (!names(request_, "expect")) headers_.append("Expect:");  // Saves a second where it is not answered.
  if (!names(request_, "user-agent")) headers_.append("User-Agent: gather/" GATHER_VERSION);
  set(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
}

void Exchange::begin() {
  last_sign_ = multi_.loop().now();
  try {
    multi_.loop().arm(stall_timer_, last_sign_ + patience_.stall);
    multi_.add(*this);
  } catch (const std::bad_alloc&) {
    on_ended(CURLE_OUT_OF_MEMORY);
  }
}

std::size_t Exchange::on_head(const char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.last_sign_ = exchange.multi_.loop().now();
  return exchange.head_.read(std::string_view(data, size)) ? size : 0;
}

std::size_t Exchange::on_body(const char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.last_sign_ = exchange.multi_.loop().now();
  exchange.received_ += size;
  try {
    exchange.refused_ = !exchange.sink_.take(exchange.head_.head(), std::string_view(data, size));
  } catch (...) {
    exchange.thrown_ = std::current_exception();
    return 0;
  }
  return exchange.refused_ ? 0 : size;
}

void Exchange::StallTimer::on_time() noexcept {
  exchange.stall_check_ = exchange.multi_.loop().call_soon([this] { exchange.check_stall(); });
}

void Exchange::check_stall() noexcept {
  const async::TimePoint now = multi_.loop().now();
  const auto uploaded = info<curl_off_t>(easy_.get(), CURLINFO_SIZE_UPLOAD_T);
  if (std::exchange(uploaded_, uploaded) != uploaded) last_sign_ = now;
  if (now - last_sign_ < patience_.stall) {
    multi_.loop().arm(stall_timer_, last_sign_ + patience_.stall);
    return;
  }
  stalled_ = true;
  multi_.remove(*this);
  on_ended(CURLE_OPERATION_TIMEDOUT);
}

void Exchange::stop_clock() noexcept {
  multi_.loop().disarm(stall_timer_);
  stall_check_.cancel();
}

void Exchange::on_ended(CURLcode result) noexcept {
  stop_clock();
  result_ = result;
  complete();
}

async::Op::Abort Exchange::abort() noexcept {
  stop_clock();
  multi_.remove(*this);
  return Abort::detached;
}

Exchange::Ending Exchange::await_resume() {
  leave();
  if (thrown_) std::rethrow_exception(thrown_);
  if (result_ != CURLE_OK || short_of_length()) return {std::unexpected(failure(result_)), ""};
  const auto* const location = info<const char*>(easy_.get(), CURLINFO_REDIRECT_URL);
  return {Answer{head_.head(), request_.url, received_}, location == nullptr ? "" : location};
}

/// libcurl says that the body is whole: our own count must agree.
bool Exchange::short_of_length() const {
  const Head& head = head_.head();
  if (request_.method == "HEAD" || head.status == 204 || head.status == 304) return false;
  return !head.chunked && head.length && *head.length != received_;
}

Failure Exchange::failure(CURLcode result) const {
  using Kind = Failure::Kind;
  const std::string host = host_of(request_.url);
  if (refused_) return {Kind::local, "", true};
  if (!head_.fault().empty()) return {Kind::protocol, fmt::format("{} {}", host, head_.fault())};
  if (!no_socket_.empty()) return {Kind::local, fmt::format("{}: {}", host, no_socket_)};
  if (stalled_) return {Kind::timeout, fmt::format("{} sent nothing for {}", host, show(patience_.stall))};
  if (result == CURLE_OPERATION_TIMEDOUT)
    return {Kind::timeout, fmt::format("no connection to {} within {}", host, show(patience_.connect))};
  const Progress progress{head_.complete(), received_, head_.head().length.value_or(0)};
  if (result == CURLE_OK) result = CURLE_PARTIAL_FILE;
  const auto os_error = info<long>(easy_.get(), CURLINFO_OS_ERRNO);
  return explain({result, static_cast<int>(os_error), text_.data()}, progress, request_.url);
}

}  // namespace gather::net
