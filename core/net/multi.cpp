#include "core/net/multi.hpp"

#include "core/base/error.hpp"
#include "core/net/sockets.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <new>
#include <utility>

namespace gather::net {
namespace {

using namespace std::chrono_literals;
using async::any;
using async::Events;

constexpr Duration watchdog_interval = 1s;
constexpr std::size_t most_unused = 64;  // Handles, of 40 KB each.

template <class Value>
void set_multi(CURLM* handle, CURLMoption option, Value value) {
  [[maybe_unused]] const CURLMcode code = curl().multi_setopt(handle, option, value);
  assert(code == CURLM_OK);  // All are older than the version that curl() insists on.
}

/// Whether libcurl would find a word about proxies in the environment: it looks for each request.
bool environment_speaks_of_proxies() {
  constexpr std::array<const char*, 7> names{"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                             "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
  return std::ranges::any_of(names, [](const char* name) { return std::getenv(name) != nullptr; });
}

/// Marks that we are in a call of libcurl's.
class Inside {
 public:
  explicit Inside(bool& flag) noexcept : flag_(flag) {
    assert(!flag && "libcurl must not be called from its own callbacks");
    flag_ = true;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { flag_ = false; }

 private:
  bool& flag_;
};

}  // namespace

struct Multi::Socket final : async::FdWatch {
  Socket(Multi& owner, int number) noexcept : multi(owner), descriptor(number) {}

  void on_events(Events events) noexcept override {
    if (wanted == Events::none) return end();  // Paused, or idle and closed by the server.
    if (waiting == Events::none) multi.pending_.push_back(this);
    waiting = waiting | events;
    multi.ring();
  }

  /// Throws as FdWatch::start.
  void want(Events events) {
    wanted = events;
    if (armed == events) return;
    start(multi.loop_, descriptor, events);
    armed = events;
  }
  void end() noexcept {
    stop();
    wanted = armed = Events::none;
  }

  /// libcurl 7.88.1 closes a socket that is still connecting before it says that it wants no more of it, and
  /// not by on_close.
  void forget_closed() noexcept {
    forget();
    wanted = armed = Events::none;
    opened_here = false;
  }

  Multi& multi;
  const int descriptor;
  std::uint64_t cookie = 0;       // Of the socket that on_open made.
  bool opened_here = false;       // By on_open, so close-on-exec; else one end of a pair of libcurl's.
  Events wanted = Events::none;   // By libcurl.
  Events armed = Events::none;    // What the kernel was asked for; more than wanted at times.
  Events waiting = Events::none;  // Not none: stands in pending_.
};

void Multi::Alarm::on_time() noexcept {
  multi.timer_due_ = true;
  multi.ring();
}

Multi::Multi(async::Loop& loop, std::size_t idle)
    : loop_(loop), share_(curl().share_init()), asks_for_proxies_(environment_speaks_of_proxies()) {
  const int wake_up_pair = lowest_free_descriptor();
  handle_.reset(curl().multi_init());
  if (!share_ || !handle_) throw std::bad_alloc();
  close_pair_on_exec(wake_up_pair);
  curl().share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  CURLM* const handle = handle_.get();
  set_multi(handle, CURLMOPT_SOCKETFUNCTION, &on_socket);
  set_multi(handle, CURLMOPT_SOCKETDATA, this);
  set_multi(handle, CURLMOPT_TIMERFUNCTION, &on_timer);
  set_multi(handle, CURLMOPT_TIMERDATA, this);
  keep(idle);
  unused_.reserve(most_unused);
}

Multi::~Multi() {
  assert(transfers_ == 0 && "a transfer outlived its connections");
  handle_.reset();  // Calls on_close and on_timer.
  work_.cancel();
  loop_.disarm(timer_);
  loop_.disarm(watchdog_);
}

Multi::Handle Multi::handle_for(Transfer& transfer, std::uint8_t recipe) {
  transfer.multi_ = this;
  Handle handle;
  if (!unused_.empty()) {
    handle = std::move(unused_.back());
    unused_.pop_back();
    if (handle.recipe != 0 && handle.recipe == recipe) {
      set_own(handle.easy.get(), transfer);
      return handle;
    }
    if (handle.recipe != 0 && !emptied(handle.easy.get())) handle.easy.reset();
    handle.recipe = 0;
  }
  if (!handle.easy) {
    handle.easy.reset(curl().easy_init());
    if (!handle.easy) throw std::bad_alloc();
    set(handle.easy.get(), CURLOPT_SHARE, share_.get());  // Alone survives being emptied.
  }
  CURL* const easy = handle.easy.get();
  set_own(easy, transfer);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);  // Else removing a transfer waits for its name lookup.
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open);
  set(easy, CURLOPT_CLOSESOCKETFUNCTION, &on_close);
  set(easy, CURLOPT_CLOSESOCKETDATA, this);
  if (!asks_for_proxies_) {
    set(easy, CURLOPT_PROXY, "");
    set(easy, CURLOPT_NOPROXY, "");
  }
  return handle;
}

void Multi::set_own(CURL* easy, Transfer& transfer) {
  set(easy, CURLOPT_PRIVATE, &transfer);
  set(easy, CURLOPT_OPENSOCKETDATA, &transfer);
}

/// Takes all options away. After HTTP/2 libcurl 7.88.1 leaves the transfer's buffer with the handle, and then
/// refuses to change its size: such a one is of no more use.
bool Multi::emptied(CURL* easy) noexcept {
  curl().easy_reset(easy);
  return curl().easy_setopt(easy, CURLOPT_BUFFERSIZE, long{CURL_MAX_WRITE_SIZE}) == CURLE_OK;
}

void Multi::take_back(Handle handle) noexcept {
  if (unused_.size() == unused_.capacity()) return;
  CURL* const easy = handle.easy.get();
  if (handle.recipe != 0)
    curl().easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);  // The transfer's own, which goes now.
  else if (!emptied(easy))
    return;
  unused_.push_back(std::move(handle));
}

// libcurl's default, four times the handles added at the moment, would shrink as a run drains.
void Multi::keep(std::size_t connections) noexcept {
  kept_ = connections;
  set_multi(handle_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
}

void Multi::add(Transfer& transfer) {
  {
    const Inside inside(inside_);
    const CURLMcode code = curl().multi_add_handle(handle_.get(), transfer.easy());
    if (code != CURLM_OK) throw std::bad_alloc();  // The other codes mean a mistake of ours.
  }
  if (transfers_ >= kept_) keep(2 * kept_);
  if (transfers_++ == 0) loop_.arm(watchdog_, loop_.now() + watchdog_interval);
}

void Multi::remove(Transfer& transfer) noexcept {
  {
    const Inside inside(inside_);
    curl().multi_remove_handle(handle_.get(), transfer.easy());
  }
  std::erase(doomed_, &transfer);
  std::erase(unconnected_, &transfer);
  if (--transfers_ == 0) loop_.disarm(watchdog_);
}

CURLcode Multi::resume(Transfer& transfer) noexcept {
  const Inside inside(inside_);
  called_at_ = loop_.now();
  return curl().easy_pause(transfer.easy(), CURLPAUSE_CONT);
}

int Multi::on_socket(CURL* easy, curl_socket_t descriptor, int what, void* multi, void*) noexcept {
  auto& self = *static_cast<Multi*>(multi);
  if (what == CURL_POLL_REMOVE) {
    self.note_unconnected(easy, descriptor);
    self.unwatch(descriptor);
  } else {
    self.watch(easy, descriptor, what);
  }
  return 0;
}

Multi::Socket& Multi::socket(int descriptor) {
  const auto place = static_cast<std::size_t>(descriptor);
  if (place >= sockets_.size()) sockets_.resize(place + 1);
  if (!sockets_[place]) sockets_[place] = std::make_unique<Socket>(*this, descriptor);
  return *sockets_[place];
}

void Multi::watch(CURL* easy, int descriptor, int what) noexcept {
  Socket& watched = socket(descriptor);
  if (!watched.opened_here && !watched.watching() && is_end_of_our_pair(descriptor))
    close_pair_on_exec(descriptor);
  const Events events = ((what & CURL_POLL_IN) != 0 ? Events::readable : Events::none) |
                        ((what & CURL_POLL_OUT) != 0 ? Events::writable : Events::none);
  try {
    watched.want(events);
  } catch (const Error& error) {
    // A -1 would end every transfer; this one alone can't go on.
    Transfer* transfer = nullptr;
    curl().easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (transfer == nullptr) return;
    transfer->on_no_socket(error.what());
    doomed_.push_back(transfer);
    ring();
  }
}

void Multi::note_unconnected(CURL* easy, int descriptor) noexcept {
  if (socket(descriptor).wanted != Events::writable) return;
  Transfer* transfer = nullptr;
  curl().easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  if (transfer == nullptr) return;
  unconnected_.push_back(transfer);
  ring();
}

void Multi::unwatch(int descriptor) noexcept {
  const auto place = static_cast<std::size_t>(descriptor);
  if (place >= sockets_.size() || !sockets_[place]) return;
  Socket& watched = *sockets_[place];
  if (watched.wanted == Events::writable && watched.opened_here && watched.cookie != cookie_of(descriptor))
    watched.forget_closed();
  // A connection between two requests, or paused, stays armed: it is wanted again soon, and nothing comes
  // meanwhile as a rule. Not the ends of pairs, which libcurl closes without a word.
  if (watched.opened_here && watched.armed == Events::readable)
    watched.wanted = Events::none;
  else
    watched.end();
  if (std::exchange(watched.waiting, Events::none) == Events::none) return;
  std::ranges::replace(pending_, &watched, nullptr);
}

int Multi::on_timer(CURLM*, long milliseconds, void* multi) noexcept {
  static_cast<Multi*>(multi)->set_timer(milliseconds);
  return 0;
}

void Multi::set_timer(long milliseconds) noexcept {
  loop_.disarm(timer_);
  if (milliseconds < 0) return;
  if (milliseconds ==
      0) {  // "Soon, but not from in here": the next pass. Any wait would cost a request dear.
    timer_due_ = true;
    ring();
  } else {
    loop_.arm(timer_, loop_.now() + std::chrono::milliseconds(milliseconds));
  }
}

curl_socket_t Multi::on_open(void* opener, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(opener);
  if (!transfer.may_connect_to(address->addr)) return CURL_SOCKET_BAD;  // libcurl goes on with the next one.
  const int descriptor =
      ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
  if (descriptor >= 0)
    transfer.multi_->opened(descriptor);
  else if (errno != EAFNOSUPPORT)  // A kernel without IPv6: libcurl goes on with the next address.
    transfer.on_no_socket(fmt::format("can't open a socket: {}", system_error_text(errno)));
  return descriptor;
}

void Multi::opened(int descriptor) {
  Socket& opened = socket(descriptor);
  opened.opened_here = true;
  opened.cookie = cookie_of(descriptor);
}

int Multi::on_close(void* owner, curl_socket_t descriptor) noexcept {
  auto& multi = *static_cast<Multi*>(owner);
  multi.socket(descriptor).opened_here = false;  // So that the watch ends.
  multi.unwatch(descriptor);
  return close(descriptor);
}

void Multi::ring() noexcept {
  if (std::exchange(work_scheduled_, true)) return;
  work_ = loop_.call_soon([this] { work(); });
}

void Multi::work() noexcept {
  work_scheduled_ = false;
  const async::TimePoint began = loop_.now();
  // Telling libcurl of one socket may stop the watch of another, which unwatch() then takes out of the list.
  std::size_t i = 0;
  for (; i < pending_.size() && loop_.now() - began <= longest_hold; ++i) {
    Socket* const ready = std::exchange(pending_[i], nullptr);
    if (ready == nullptr) continue;
    const Events events = std::exchange(ready->waiting, Events::none);
    act(ready->descriptor, (any(events, Events::readable) ? CURL_CSELECT_IN : 0) |
                               (any(events, Events::writable) ? CURL_CSELECT_OUT : 0) |
                               (any(events, Events::error) ? CURL_CSELECT_ERR : 0));
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(i));
  if (!pending_.empty()) ring();  // The others of the loop first.
  if (std::exchange(timer_due_, false)) act(CURL_SOCKET_TIMEOUT, 0);
  if (transfers_ != 0 && !watchdog_.armed()) loop_.arm(watchdog_, loop_.now() + watchdog_interval);
  hand_out_endings();
  end_doomed();
  turn_to_next_address();
}

void Multi::act(curl_socket_t descriptor, int events) noexcept {
  const Inside inside(inside_);
  called_at_ = loop_.now();
  int running = 0;
  curl().multi_socket_action(handle_.get(), descriptor, events, &running);
}

// Where one of several addresses has failed, libcurl 7.88.1 turns to the next one when it is called for that
// transfer again, and asks for no such call: it would be lost until half of the time to connect is over.
// Those that have ended with that address are no longer in the list, so this is rare.
void Multi::turn_to_next_address() noexcept {
  if (unconnected_.empty()) return;
  unconnected_.clear();
  {
    const Inside inside(inside_);
    called_at_ = loop_.now();
    int running = 0;
    curl().multi_socket_all(handle_.get(), &running);
  }
  hand_out_endings();
}

void Multi::hand_out_endings() noexcept {
  int left = 0;
  while (const CURLMsg* const message = curl().multi_info_read(handle_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;  // The message dies when its transfer is removed.
    Transfer* transfer = nullptr;
    curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    remove(*transfer);
    transfer->on_ended(result);
  }
}

void Multi::end_doomed() noexcept {
  while (!doomed_.empty()) {
    Transfer& transfer = *doomed_.back();
    remove(transfer);
    transfer.on_ended(CURLE_COULDNT_CONNECT);
  }
}

}  // namespace gather::net
