#include "core/async/io/dns.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/sync/semaphore.hpp"
#include "core/async/task/op.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <uv.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <memory>
#include <utility>

namespace gather::async {
namespace {

// libuv hands at most half of its threads to lookups, whatever we ask for.
constexpr std::size_t default_lookups = 2;

// A loop's.
struct Lookups {
  explicit Lookups(Loop&) {}
  void close() noexcept {}
  std::shared_ptr<Semaphore> permits = std::make_shared<Semaphore>(default_lookups);
};

int eai_code(int uv_error) noexcept {
  switch (uv_error) {
    case UV_EAI_AGAIN:
      return EAI_AGAIN;
    case UV_EAI_BADFLAGS:
      return EAI_BADFLAGS;
    case UV_EAI_FAIL:
      return EAI_FAIL;
    case UV_EAI_FAMILY:
      return EAI_FAMILY;
    case UV_EAI_MEMORY:
    case UV_ENOMEM:
      return EAI_MEMORY;
    case UV_EAI_NODATA:
    case UV_EAI_NONAME:
    case UV_EINVAL:  // No name in any alphabet; the next: too long for one.
    case UV_ENAMETOOLONG:
      return EAI_NONAME;
    case UV_EAI_OVERFLOW:
      return EAI_OVERFLOW;
    case UV_EAI_SERVICE:
      return EAI_SERVICE;
    case UV_EAI_SOCKTYPE:
      return EAI_SOCKTYPE;
    default:
      return EAI_SYSTEM;
  }
}

template <class Request>
class Lookup;

// A request in flight with its permit; lives until libuv's callback, which always comes.
template <class Request>
struct Block {
  Block(Lookup<Request>& its_op, std::shared_ptr<Semaphore> held) : op(&its_op), permit(std::move(held)) {
    uv.data = this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { permit->release(); }

  Request uv{};
  Lookup<Request>* op;  // Null once the wait was cancelled.
  std::shared_ptr<Semaphore> permit;
};

// Waits for one request. Takes over a permit.
template <class Request>
class Lookup : public Op {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }

 protected:
  explicit Lookup(std::shared_ptr<Semaphore> permit) noexcept : permit_(std::move(permit)) {}
  ~Lookup() {
    if (permit_) permit_->release();  // It was never begun.
  }

  /// Hands the request to libuv; 0 or its error.
  virtual int submit(Request& request) noexcept = 0;

  static void ended(Request* request, int status, auto deliver) noexcept {
    const std::unique_ptr<Block<Request>> block(static_cast<Block<Request>*>(request->data));
    if (block->op == nullptr) return;
    block->op->block_ = nullptr;
    block->op->status_ = status;
    deliver(*block->op);
    block->op->complete();
  }

  /// libuv's error, or 0.
  int status_ = 0;

 private:
  void begin() {
    auto block = std::make_unique<Block<Request>>(*this, std::exchange(permit_, nullptr));
    const int error = submit(block->uv);
    if (error == 0) {
      block_ = block.release();
      return;
    }
    status_ = error;
    complete();
  }

  Abort abort() noexcept override {
    uv_cancel(reinterpret_cast<uv_req_t*>(&block_->uv));  // Busy: a thread has it, and it lives on.
    std::exchange(block_, nullptr)->op = nullptr;
    return Abort::detached;
  }

  std::shared_ptr<Semaphore> permit_;
  Block<Request>* block_ = nullptr;
};

std::vector<AddressInfo> values_of(const addrinfo* first) {
  std::vector<AddressInfo> result;
  for (const addrinfo* info = first; info != nullptr; info = info->ai_next) {
    AddressInfo& value = result.emplace_back(info->ai_family, info->ai_socktype, info->ai_protocol);
    if (info->ai_canonname != nullptr) value.canonical_name = info->ai_canonname;
    value.address = Address(info->ai_addr, info->ai_addrlen);
  }
  return result;
}

struct FreeAddresses {
  void operator()(addrinfo* first) const noexcept { freeaddrinfo(first); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

class AddressLookup final : public Lookup<uv_getaddrinfo_t> {
 public:
  AddressLookup(std::shared_ptr<Semaphore> permit, const std::string& host, const std::string& port,
                const addrinfo& hints) noexcept
      : Lookup(std::move(permit)), host_(host), port_(port), hints_(hints) {}

  std::vector<AddressInfo> await_resume() {
    leave();
    if (status_ != 0) throw DnsError(host_, eai_code(status_));
    return values_of(found_.get());
  }

 private:
  int submit(uv_getaddrinfo_t& request) noexcept override {
    return uv_getaddrinfo(
        &task().loop().poller().uv(), &request,
        [](uv_getaddrinfo_t* done, int status, addrinfo* first) {
          Addresses found(first);
          ended(done, status, [&](Lookup& op) { static_cast<AddressLookup&>(op).found_ = std::move(found); });
        },
        host_.c_str(), port_.c_str(), &hints_);
  }

  const std::string& host_;
  const std::string& port_;
  const addrinfo& hints_;
  Addresses found_;
};

class NameLookup final : public Lookup<uv_getnameinfo_t> {
 public:
  NameLookup(std::shared_ptr<Semaphore> permit, const Address& address, int flags) noexcept
      : Lookup(std::move(permit)), address_(address), flags_(flags) {}

  NameInfo await_resume() {
    leave();
    if (status_ != 0) throw DnsError(address_.text(), eai_code(status_));
    return std::move(found_);
  }

 private:
  int submit(uv_getnameinfo_t& request) noexcept override {
    return uv_getnameinfo(
        &task().loop().poller().uv(), &request,
        [](uv_getnameinfo_t* done, int status, const char* host, const char* service) {
          ended(done, status, [&](Lookup& op) {
            if (status == 0) static_cast<NameLookup&>(op).found_ = NameInfo(host, service);
          });
        },
        address_.get(), flags_);
  }

  const Address& address_;
  int flags_;
  NameInfo found_;
};

// Waits for its turn.
Co<std::shared_ptr<Semaphore>> turn() {
  std::shared_ptr<Semaphore> permits = (co_await this_task()).loop().template service<Lookups>()->permits;
  co_await permits->acquire();
  co_return permits;
}

}  // namespace

DnsError::DnsError(std::string_view what, int code)
    : std::runtime_error(fmt::format("can't look up {}: {}", what, gai_strerror(code))), code_(code) {}

Co<std::vector<AddressInfo>> getaddrinfo(std::string host, std::uint16_t port, LookupOptions options) {
  const std::string service = std::to_string(port);
  addrinfo hints{};
  hints.ai_family = options.family;
  hints.ai_socktype = options.type;
  hints.ai_protocol = options.protocol;
  hints.ai_flags = options.flags | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* first = nullptr;
  const char* const name = host.empty() ? nullptr : host.c_str();
  int error = ::getaddrinfo(name, service.c_str(), &hints, &first);  // Numeric: asks nobody.
  if (error == 0) {
    const Addresses found(first);
    co_return values_of(found.get());
  }
  if (error != EAI_NONAME || (options.flags & AI_NUMERICHOST) != 0 || host.contains('\0'))
    throw DnsError(host, error);
  hints.ai_flags = options.flags | AI_NUMERICSERV;
  std::shared_ptr<Semaphore> permit = co_await turn();
  AddressLookup lookup(std::move(permit), host, service, hints);
  co_return co_await lookup;
}

Co<NameInfo> getnameinfo(Address address, int flags) {
  constexpr int numeric = NI_NUMERICHOST | NI_NUMERICSERV;
  if ((flags & numeric) == numeric) co_return NameInfo(address.host(), std::to_string(address.port()));
  std::shared_ptr<Semaphore> permit = co_await turn();
  NameLookup lookup(std::move(permit), address, flags);
  co_return co_await lookup;
}

void set_max_lookups(Loop& loop, std::size_t count) {
  assert(count > 0);
  loop.service<Lookups>()->permits = std::make_shared<Semaphore>(count);
}

}  // namespace gather::async
