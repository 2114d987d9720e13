/// The connections of a session, and whom they trust: made with the first request, so that a session costs
/// nothing until then. Only files of core/net include this.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/sync/lock.hpp"
#include "core/net/libraries.hpp"
#include "core/net/transport.hpp"

#include <cstddef>
#include <memory>

namespace gather::net {

class Multi;
struct TrustSource;

class Connections {
 public:
  /// Keeps `idle` connections for later, at least. The loop must outlive it.
  Connections(async::Loop& loop, std::size_t idle) noexcept;
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Loads libraries, off the loop. Resumes at once when they are there. Throws gather::Error.
  async::Co<> load(Libraries needed);

  /// Both throw gather::Error if libcurl can't be loaded.
  ///
  /// Who asks for HTTP/2 has connections apart from all others. Where one host has some of each, libcurl
  /// 7.88.1 gives one of HTTP/1.1 to two requests at the same time, and each gets the other's answer.
  Multi& multi(HttpVersion version);
  const TrustSource& trust();

  /// Requires: no transfer is left.
  void close() noexcept;

 private:
  async::Loop& loop_;
  const std::size_t idle_;
  async::Lock loading_;
  std::unique_ptr<Multi> for_http1_;
  std::unique_ptr<Multi> for_http2_;
  std::unique_ptr<const TrustSource> trust_;
};

}  // namespace gather::net
