#include "core/async/io/connect.hpp"

#include "core/async/io/connection.hpp"
#include "core/async/io/dns.hpp"
#include "core/async/loop/running.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

namespace gather::async {
namespace {

// Tries addresses in turn; with a delay, one beside the other. The first connection wins, and the others are
// given up.
class Race final : public Op, private Timer {
 public:
  // Both outlive it.
  Race(Loop& loop, const std::vector<Address>& addresses, const ConnectionOptions& options)
      : loop_(loop), addresses_(addresses), options_(options) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) start_next();
  }
  /// Null if all have failed.
  ConnectionPtr await_resume() {
    leave();
    return std::move(winner_);
  }

  std::vector<ConnectError::Attempt> failures() const {
    std::vector<ConnectError::Attempt> failures;
    for (const auto& attempt : attempts_) failures.emplace_back(attempt->address, attempt->error);
    return failures;
  }

 private:
  struct Attempt final : ConnectHook {
    Attempt(Race& its_race, const Address& its_address) : race(its_race), address(its_address) {}
    void connected(int status) noexcept override { race.ended(*this, status); }

    Race& race;
    Address address;
    ConnectionPtr connection;
    int error = 0;
  };

  // libuv's error, or 0 if the attempt is under way.
  int start(Attempt& attempt) noexcept try {
    attempt.connection = Connection::make(loop_, Transport::tcp);
    if (options_.local_addr)
      if (const int error = uv_tcp_bind(&attempt.connection->handle().tcp, options_.local_addr->get(), 0))
        return error;
    return attempt.connection->connect(attempt.address, attempt);
  } catch (const StreamError& error) {
    return -error.code();
  } catch (...) {
    return UV_ENOMEM;
  }

  void start_next() noexcept {
    while (attempts_.size() < addresses_.size()) {
      attempts_.push_back(std::make_unique<Attempt>(*this, addresses_[attempts_.size()]));
      Attempt& attempt = *attempts_.back();
      const int error = start(attempt);
      if (error == 0) {
        ++pending_;
        if (options_.happy_eyeballs_delay && attempts_.size() < addresses_.size())
          loop_.arm(*this, loop_.now() + *options_.happy_eyeballs_delay);
        return;
      }
      fail(attempt, error);
    }
    if (pending_ == 0) complete();
  }

  void fail(Attempt& attempt, int error) noexcept {
    attempt.error = -error;
    attempt.connection.reset();
  }

  void ended(Attempt& attempt, int status) noexcept {
    --pending_;
    stop_timer();
    if (status != 0) {
      fail(attempt, status);
      start_next();
      return;
    }
    winner_ = std::move(attempt.connection);
    for (const auto& other : attempts_) other->connection.reset();
    complete();
  }

  void on_time() noexcept override { start_next(); }
  void stop_timer() noexcept {
    if (armed()) loop_.disarm(*this);
  }

  Abort abort() noexcept override {
    stop_timer();
    attempts_.clear();
    return Abort::detached;
  }

  Loop& loop_;
  const std::vector<Address>& addresses_;
  const ConnectionOptions& options_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::size_t pending_ = 0;
  ConnectionPtr winner_;
};

// RFC 8305, section 4: the kind that the system prefers, then one of the other, and so on.
std::vector<Address> interleaved(const std::vector<Address>& addresses) {
  std::vector<Address> own;
  std::vector<Address> other;
  for (const Address& address : addresses)
    (address.family() == addresses.front().family() ? own : other).push_back(address);
  std::vector<Address> result;
  for (std::size_t i = 0; i < std::max(own.size(), other.size()); ++i) {
    if (i < own.size()) result.push_back(own[i]);
    if (i < other.size()) result.push_back(other[i]);
  }
  return result;
}

}  // namespace

Co<Stream> open_connection(std::string host, std::uint16_t port, ConnectionOptions options) {
  LookupOptions lookup;
  lookup.family = options.family;
  lookup.type = SOCK_STREAM;
  std::vector<Address> addresses;
  const std::vector<AddressInfo> found = co_await getaddrinfo(host, port, lookup);
  for (const AddressInfo& info : found) addresses.push_back(info.address);
  if (options.happy_eyeballs_delay) addresses = interleaved(addresses);

  Race race((co_await this_task()).loop(), addresses, options);
  ConnectionPtr connection = co_await race;
  if (!connection) throw ConnectError(endpoint_text(host, port), race.failures());
  connection->set_limit(options.limit);
  co_return Stream(std::move(connection));
}

Co<Stream> open_unix_connection(std::string path, std::size_t limit) {
  const Address address = Address::unix_path(path);
  const auto fail = [&](int error) -> StreamError {
    return StreamError("can't connect to " + address.text(), error);
  };
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) throw fail(errno);
  // A Unix socket is connected at once or not at all.
  if (connect(descriptor, address.get(), address.size()) != 0) {
    const int error = errno;
    close(descriptor);
    throw fail(error);
  }
  Stream stream = open_pipe((co_await this_task()).loop(), descriptor);
  stream.set_limit(limit);
  co_return stream;
}

}  // namespace gather::async
