/// Leave to use a connection: so many in all and so many per origin, first come, first served. Knows nothing
/// of connections. Only files of core/net include this.
#pragma once

#include "core/async/sync/semaphore.hpp"
#include "core/async/task/co.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace gather::net {

class ConnectionLimits {
  struct Place {
    explicit Place(std::ptrdiff_t permits) : free(permits) {}
    async::Semaphore free;
    std::size_t users = 0;  // Who hold a permit, or wait for one; the last one takes the place with him.
  };
  using Places = std::map<std::string, Place>;

 public:
  /// Leave for one connection, given back when it dies or by release().
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease() { release(); }
    void release() noexcept;

   private:
    friend class ConnectionLimits;
    Lease(ConnectionLimits& limits, Places::iterator place) noexcept;
    ConnectionLimits* limits_;  // Null once given back.
    Places::iterator place_;
    bool counts_for_place_ = false;
    bool counts_for_all_ = false;
  };

  /// 0: no limit. It must outlive its leases and those who wait.
  ConnectionLimits(std::size_t in_all, std::size_t per_origin);
  ConnectionLimits(const ConnectionLimits&) = delete;
  ConnectionLimits& operator=(const ConnectionLimits&) = delete;

  /// Resumes with leave for a connection to `origin`; at once if there is room and nobody waits. A cancelled
  /// caller has none.
  ///
  /// The origin's turn comes first: who waits for a busy host keeps nobody from another.
  async::Co<Lease> enter(std::string origin);

  /// Lets in everybody who waits, limits or no limits: at the end of a session, to be told of it.
  void let_all_in() noexcept;

 private:
  const std::ptrdiff_t in_all_;
  const std::ptrdiff_t per_origin_;
  async::Semaphore free_;
  Places places_;
};

}  // namespace gather::net
