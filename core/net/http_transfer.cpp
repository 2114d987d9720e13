#include "core/net/http_transfer.hpp"

#include "core/base/quote.hpp"
#include "core/net/public_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <utility>

namespace gather::net {
namespace {

/// At least 1, since 0 is libcurl's word for its default; at most what libcurl takes, some 24 days.
long in_milliseconds(Duration length) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(length).count();
  return static_cast<long>(std::clamp<std::int64_t>(count, 1, std::numeric_limits<int>::max()));
}

bool names(const Request& request, std::string_view header) {
  return std::ranges::any_of(request.headers,
                             [&](const auto& entry) { return same_name(entry.first, header); });
}

template <class Value>
Value info(CURL* easy, CURLINFO which) {
  Value value{};
  curl().easy_getinfo(easy, which, &value);
  return value;
}

}  // namespace

HttpTransfer::HttpTransfer(Multi& multi, const TrustSource& trust, const Request& request,
                           HttpVersion version, const Patience& patience)
    : multi_(multi),
      loop_(multi.loop()),
      request_(request),
      patience_{request.transport->connect_timeout.value_or(patience.connect),
                request.transport->stall_timeout.value_or(patience.stall)},
      http2_(wants_http2(version)),
      recipe_(recipe()),
      handle_(multi.handle_for(*this, recipe_)) {
  set_own();
  if (handle_.recipe != 0) return;
  set_options();
  set_transport(trust);
  set_method();
  set_headers();
}

HttpTransfer::~HttpTransfer() {
  stop();
  release();
}

void HttpTransfer::release() noexcept {
  Multi::Handle handle = std::move(handle_);
  if (!handle.easy) return;
  // libcurl 7.88.1 empties neither the buffer's size nor what `resolve` said, and a body's state is its own.
  if (sends_body() || uploads_ || resolve_.get() != nullptr || request_.transport->limit_rate != 0) return;
  handle.recipe = ended_well_ ? recipe_ : 0;
  multi_.take_back(std::move(handle));
}

void HttpTransfer::set_own() {
  CURL* const easy = handle_.easy.get();
  set(easy, CURLOPT_URL, request_.url.c_str());
  if (recipe_ != 0) set(easy, CURLOPT_CURLU, handle_.url.parse(request_.url));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, in_milliseconds(patience_.connect));
  set(easy, CURLOPT_ERRORBUFFER, text_.data());
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEDATA, this);
  if (http2_) set(easy, CURLOPT_PREREQDATA, this);
}

void HttpTransfer::set_options() {
  CURL* const easy = handle_.easy.get();
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_BUFFERSIZE, transfer_buffer_size);
  set(easy, CURLOPT_HEADERFUNCTION, &on_head_line);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
}

/// A POST, PUT or PATCH without a body says so with Content-Length: 0.
bool HttpTransfer::sends_body() const {
  const std::string& method = request_.method;
  return request_.body || !request_.parts.empty() || method == "POST" || method == "PUT" || method == "PATCH";
}

void HttpTransfer::set_method() {
  CURL* const easy = handle_.easy.get();
  const std::string& method = request_.method;
  if (!request_.parts.empty()) {
    multipart_.emplace(easy, request_.parts);
    set(easy, CURLOPT_MIMEPOST, multipart_->get());
    set(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    return;
  }
  if (sends_body()) {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDS, request_.body ? request_.body->data() : "");
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE,
        static_cast<curl_off_t>(request_.body ? request_.body->size() : 0));
  } else if (method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  }
  if (method != "GET" || request_.body) set(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void HttpTransfer::set_headers() {
  // In libcurl's lists "Name:" takes a header away, and "Name;" sends it empty.
  for (const auto& [name, value] : request_.headers)
    headers_.append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  for (const auto& [name, value] : request_.conditions) headers_.append(fmt::format("{}: {}", name, value));
  // What libcurl would add to a body. Without one it adds nothing, and would look each of these up 15 times.
  if (sends_body()) {
    if (request_.parts.empty() && !names(request_, "content-type"))
      headers_.append("Content-Type:");  // Not a form unless said so.
    leave_out_expect();
  }
  if (!names(request_, "user-agent")) set(handle_.easy.get(), CURLOPT_USERAGENT, "gather/" GATHER_VERSION);
  if (headers_.get() != nullptr) set(handle_.easy.get(), CURLOPT_HTTPHEADER, headers_.get());
}

/// A server that knows no "100 Continue" would cost a second.
void HttpTransfer::leave_out_expect() {
  if (!names(request_, "expect")) headers_.append("Expect:");
}

void HttpTransfer::set_upload(std::optional<std::uint64_t> length) {
  CURL* const easy = handle_.easy.get();
  uploads_ = true;
  if (!sends_body()) leave_out_expect();
  set(easy, CURLOPT_HTTPHEADER, headers_.get());
  set(easy, CURLOPT_UPLOAD, 1L);
  set(easy, CURLOPT_INFILESIZE_LARGE, length ? static_cast<curl_off_t>(*length) : curl_off_t{-1});
  set(easy, CURLOPT_READFUNCTION, &on_upload);
  set(easy, CURLOPT_READDATA, this);
  // libcurl repeats a request whose kept connection turns out to be dead; this body can't be read again.
  set(easy, CURLOPT_FRESH_CONNECT, 1L);
  set(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void HttpTransfer::start() noexcept {
  began_ = ended_ = last_sign_ = paced_until_ = loop_.now();
  if (multipart_ && !multipart_->fault().empty()) return on_ended(CURLE_READ_ERROR);
  try {
    loop_.arm(stall_timer_, stalls_at());
    multi_.add(*this);
    running_ = true;
  } catch (const std::bad_alloc&) {
    on_ended(CURLE_OUT_OF_MEMORY);
  }
}

void HttpTransfer::stop() noexcept {
  if (!std::exchange(running_, false)) return;
  stop_clock();
  multi_.remove(*this);
  leave_connection();
}

void HttpTransfer::resume() noexcept {
  if (!running_) return;
  last_sign_ = loop_.now();
  paused_ = upload_paused_ = false;
  if (const CURLcode code = multi_.resume(*this); code != CURLE_OK) {
    multi_.remove(*this);
    on_ended(code);
  }
}

int HttpTransfer::on_connected(void* self, char*, char*, int, int) noexcept try {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.crowded_ = !transfer.takes_connection();
  return transfer.crowded_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
} catch (...) {  // Memory is out, or libssl is not there.
  return CURL_PREREQFUNC_ABORT;
}

/// libcurl 7.88.1 lets transfers share a connection once it has met HTTP/2 at the host, and does not look
/// whether this one speaks it: of a host with servers of both kinds behind it, each would get the other's
/// answer. Called when it has a connection, before anything is sent.
bool HttpTransfer::takes_connection() {
  leave_connection();
  const auto* const session = info<const curl_tlssessioninfo*>(handle_.easy.get(), CURLINFO_TLS_SSL_PTR);
  if (session == nullptr || session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr)
    return true;
  const unsigned char* name = nullptr;
  unsigned size = 0;
  ssl().get0_alpn_selected(static_cast<const SSL*>(session->internals), &name, &size);
  if (std::string_view(reinterpret_cast<const char*>(name), size) == "h2") return true;
  if (!multi_.claim(session->internals)) return false;
  claimed_ = session->internals;
  return true;
}

void HttpTransfer::leave_connection() noexcept {
  if (claimed_ != nullptr) multi_.unclaim(std::exchange(claimed_, nullptr));
}

std::size_t HttpTransfer::on_head_line(const char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.last_sign_ = transfer.multi_.called_at();  // A head has many lines, and the clock has its price.
  const bool was_complete = transfer.head_complete();
  if (!transfer.reader_.read(std::string_view(data, size))) return 0;
  if (!was_complete && transfer.head_complete()) transfer.on_head();
  return size;
}

std::size_t HttpTransfer::on_body(const char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.last_sign_ = transfer.loop_.now();
  if (!transfer.http2_ && transfer.last_sign_ - transfer.multi_.called_at() > Multi::longest_hold) {
    transfer.rest();
    return CURL_WRITEFUNC_PAUSE;
  }
  switch (transfer.on_piece(std::string_view(data, size))) {
    case Piece::taken:
      transfer.received_ += size;
      transfer.pace(size);
      return size;
    case Piece::paused:
      transfer.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    case Piece::refused:
      transfer.refused_ = true;
      break;
  }
  return 0;
}

/// Lets the others of the loop have their turn.
void HttpTransfer::rest() noexcept {
  paused_ = true;
  end_of_rest_ = loop_.call_soon([this] { resume(); });
}

std::size_t HttpTransfer::on_upload(char* buffer, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t count = transfer.read_upload(buffer, size);
  transfer.upload_paused_ = count == no_upload_yet;
  return transfer.upload_paused_ ? CURL_READFUNC_PAUSE : count;
}

std::size_t HttpTransfer::read_upload(char*, std::size_t) noexcept { return 0; }

void HttpTransfer::StallTimer::on_time() noexcept {
  transfer.stall_check_ = transfer.loop_.call_soon([this] { transfer.check_stall(); });
}

void HttpTransfer::check_stall() noexcept {
  const async::TimePoint now = loop_.now();
  const auto uploaded = info<curl_off_t>(handle_.easy.get(), CURLINFO_SIZE_UPLOAD_T);
  if (std::exchange(uploaded_, uploaded) != uploaded || paused_ || upload_paused_) last_sign_ = now;
  if (now < stalls_at()) {
    loop_.arm(stall_timer_, stalls_at());
    return;
  }
  stalled_ = true;
  multi_.remove(*this);
  on_ended(CURLE_OPERATION_TIMEDOUT);
}

async::TimePoint HttpTransfer::stalls_at() const noexcept {
  return std::max(last_sign_, paced_until_) + patience_.stall;
}

/// What came is paid for in time. libcurl counts in windows of three seconds, and never waits longer.
void HttpTransfer::pace(std::size_t size) noexcept {
  const std::uint64_t rate = request_.transport->limit_rate;
  if (rate == 0) return;
  const double seconds = static_cast<double>(size) / static_cast<double>(rate);
  paced_until_ = std::max(paced_until_, last_sign_) +
                 std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

bool HttpTransfer::may_connect_to(const sockaddr& address) noexcept {
  if (!request_.transport->public_only || is_public(address)) {
    met_public_ = true;
    return true;
  }
  not_public_ = text_of(address);
  return false;
}

void HttpTransfer::stop_clock() noexcept {
  ended_ = loop_.now();
  loop_.disarm(stall_timer_);
  stall_check_.cancel();
  end_of_rest_.cancel();
}

void HttpTransfer::on_ended(CURLcode result) noexcept {
  running_ = false;
  stop_clock();
  leave_connection();
  result_ = result;
  ended_well_ = result == CURLE_OK;
  on_finished();
}

std::optional<Failure> HttpTransfer::failure() const {
  // libcurl 7.88.1 takes a connection that is closed in the middle of the head for an empty answer.
  if (result_ == CURLE_OK && head_complete() && !short_of_length()) return std::nullopt;
  return explained();
}

/// libcurl tells when each phase was over, counted from its start, and 0 for what was not reached. The rest
/// of our own time belongs to the phase that was under way.
Phases HttpTransfer::phases() const noexcept {
  const auto reached = [&](CURLINFO which) -> Duration {
    return std::chrono::microseconds(info<curl_off_t>(handle_.easy.get(), which));
  };
  Phases phases;
  Duration before{};
  const auto lasted = [&](Duration& phase, Duration end) {
    if (end <= before) return;
    phase = end - before;
    before = end;
  };
  const Duration connected = reached(CURLINFO_CONNECT_TIME_T);
  const Duration secured = reached(CURLINFO_APPCONNECT_TIME_T);
  const Duration ready = reached(CURLINFO_PRETRANSFER_TIME_T);
  // The end of a connection counts as a first byte for libcurl.
  const Duration answered = head().status == 0 ? Duration::zero() : reached(CURLINFO_STARTTRANSFER_TIME_T);
  lasted(phases.dns, reached(CURLINFO_NAMELOOKUP_TIME_T));
  lasted(phases.connect, connected);
  lasted(phases.tls, secured);
  lasted(phases.first_byte, answered);
  const bool looked_up = before != Duration::zero();
  Duration& under_way = answered != Duration::zero()    ? phases.body
                        : ready != Duration::zero()     ? phases.first_byte
                        : connected != Duration::zero() ? phases.tls
                        : looked_up                     ? phases.connect
                                                        : phases.dns;
  under_way += std::max(Duration::zero(), ended_ - began_ - before);
  return phases;
}

std::string_view HttpTransfer::http_version() const noexcept {
  switch (info<long>(handle_.easy.get(), CURLINFO_HTTP_VERSION)) {
    case CURL_HTTP_VERSION_1_0:
      return "1.0";
    case CURL_HTTP_VERSION_1_1:
      return "1.1";
    case CURL_HTTP_VERSION_2_0:
      return "2";
    default:
      return "";
  }
}

std::string HttpTransfer::location() const {
  const auto* const location = info<const char*>(handle_.easy.get(), CURLINFO_REDIRECT_URL);
  return location == nullptr ? "" : location;
}

/// libcurl says that the body is whole: our own count must agree.
bool HttpTransfer::short_of_length() const {
  if (request_.method == "HEAD" || head().status == 204 || head().status == 304) return false;
  return !head().chunked && head().length && *head().length != received_;
}

Failure HttpTransfer::explained() const {
  using Kind = Failure::Kind;
  const std::string host = host_of(request_.url);
  if (refused_) return {Kind::local, "", true};
  if (multipart_ && !multipart_->fault().empty()) return {Kind::local, multipart_->fault(), true};
  if (!reader_.fault().empty()) return {Kind::protocol, fmt::format("{} {}", host, reader_.fault())};
  if (!no_socket_.empty()) return {Kind::local, fmt::format("{}: {}", host, no_socket_)};
  if (not_public_ && !met_public_ && result_ == CURLE_COULDNT_CONNECT)
    return {Kind::connect,
            fmt::format("{} is at {}, which is no public address, and only those are asked (public_only)",
                        host, not_public_->empty() ? "a Unix socket" : *not_public_),
            true};
  if (stalled_) return {Kind::timeout, fmt::format("{} sent nothing for {}", host, show(patience_.stall))};
  if (result_ == CURLE_OPERATION_TIMEDOUT)
    return {Kind::timeout, fmt::format("no connection to {} within {}", host, show(patience_.connect))};
  const Progress progress{head_complete(), received_, head().length.value_or(0)};
  const CURLcode result = result_ != CURLE_OK ? result_
                          : head_complete()   ? CURLE_PARTIAL_FILE
                                              : CURLE_GOT_NOTHING;
  const auto os_error = info<long>(handle_.easy.get(), CURLINFO_OS_ERRNO);
  return explain({result, static_cast<int>(os_error), text_.data()}, progress, request_.url);
}

}  // namespace gather::net
