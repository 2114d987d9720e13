/// What the sample server has to offer: slow answers, many bytes, errors, and the count of what it served at
/// once.
#pragma once

#include "core/async/io/stream.hpp"
#include "core/async/task/co.hpp"
#include "samples/web/http.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace web {

/// One site, for any number of connections on one loop:
///
///     /delay/MS[/NAME]   answers after MS milliseconds
///     /bytes/N           N bytes of pattern()
///     /status/CODE       answers with that status, 200 to 599
///     /flaky/KEY/N       503 for the first N requests of each KEY, then 200
///     /pages/N/K         page K of N as JSON: {"items": [K], "next": "/pages/N/K+1" or null}
///     /echo              the request as it came: first line, headers, body
///     /peak              {"now": …, "peak": …, "requests": …}: requests being served at the same time
///     /reset             forgets the counts and the keys
///
/// and 404 for anything else. A request is being served from its last byte until the kernel has taken the
/// last byte of its response, or until its client has hung up. So no client that holds to a limit is counted
/// above it; /peak and /reset themselves are not counted.
class Site {
 public:
  /// Serves one connection until either side ends it. The handler for start_server. Requires: the site
  /// outlives it.
  Co<> serve(Stream stream);

 private:
  class Serving;
  using Path = std::vector<std::string_view>;

  Co<bool> serve_one(Stream& stream);
  Co<Response> answer(const Request& request, const Path& path, Stream& stream);
  Co<Response> delayed(const Path& path, Stream& stream);
  Response flaky(const Path& path);
  static Response page(const Path& path);
  Response peak() const;
  void reset();

  std::uint64_t now_ = 0;
  std::uint64_t peak_ = 0;
  std::uint64_t requests_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> flaky_requests_;  // By key.
};

}  // namespace web
