#include "samples/web/site.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/task/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace web {
namespace {

using namespace std::chrono_literals;
using gather::async::IncompleteRead;
using gather::async::TimeoutError;

const Response not_found{.status = 404, .body = "there is nothing here\n"};

std::vector<std::string_view> split_path(std::string_view target) {
  std::vector<std::string_view> parts;
  target = target.substr(0, target.find('?'));
  while (target.starts_with('/')) {
    target.remove_prefix(1);
    parts.push_back(target.substr(0, target.find('/')));
    target.remove_prefix(parts.back().size());
  }
  return parts;
}

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

// Throws IncompleteRead when the client hangs up before: what nobody waits for is not being served. That
// waits for more bytes than a well-behaved client sends ahead; when time is up they are still in the stream.
Co<> stay(Stream& stream, std::chrono::milliseconds length) {
  try {
    co_await gather::async::timeout(length, [&]() -> Co<> {
      throw IncompleteRead(co_await stream.readexactly(head_limit + body_limit));
    });
  } catch (const TimeoutError&) {
  }
}

std::string echo(const Request& request) {
  std::string text = fmt::format("{} {} {}\n", request.method, request.target, request.version);
  for (const auto& [name, value] : request.headers) text += fmt::format("{}: {}\n", name, value);
  return text + "\n" + request.body;
}

// After a bad request the client may still be sending. Closing at once would answer that with a reset, which
// can overtake the response; so we end our side and read on for a while.
Co<> refuse(Stream& stream, int status, std::string why) {
  const Response response{.status = status, .body = std::move(why) + "\n"};
  co_await write_response(stream, response, false, true);
  stream.write_eof();
  try {
    co_await gather::async::timeout(1s, [&]() -> Co<> {
      while (!(co_await stream.read(head_limit)).empty()) {
      }
    });
  } catch (const TimeoutError&) {
  }
}

}  // namespace

/// Counts one request while it lives.
class Site::Serving {
 public:
  explicit Serving(Site& site) : site_(site) {
    ++site_.requests_;
    site_.peak_ = std::max(site_.peak_, ++site_.now_);
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() { --site_.now_; }

 private:
  Site& site_;
};

Co<> Site::serve(Stream stream) {
  std::optional<BadRequest> bad;
  try {
    while (co_await serve_one(stream)) {
    }
  } catch (const BadRequest& error) {
    bad = error;
  }
  if (bad) co_await refuse(stream, bad->status(), bad->what());
}

// Whether there may be another request.
Co<bool> Site::serve_one(Stream& stream) {
  const std::optional<Request> request = co_await read_request(stream);
  if (!request) co_return false;
  const Path path = split_path(request->target);
  const bool head = request->method == "HEAD";
  const bool close = !request->keep_alive();
  if (path.front() == "peak" || path.front() == "reset") {
    if (path.front() == "reset") reset();
    co_await write_response(stream, peak(), head, close);
  } else {
    const Serving serving(*this);
    const Response response = co_await answer(*request, path, stream);
    co_await write_response(stream, response, head, close);
  }
  co_return !close;
}

Co<Response> Site::answer(const Request& request, const Path& path, Stream& stream) {
  const std::string_view what = path.front();
  if (what == "echo" && path.size() == 1) co_return Response{.body = echo(request)};
  if (what == "delay" && (path.size() == 2 || path.size() == 3)) co_return co_await delayed(path, stream);
  if (what == "flaky" && path.size() == 3) co_return flaky(path);
  if (what == "bytes" && path.size() == 2)
    if (const auto size = number(path[1], std::uint64_t{1} << 40))
      co_return Response{.type = "application/octet-stream", .pattern = size};
  if (what == "status" && path.size() == 2)
    if (const auto code = number(path[1], 599); code && *code >= 200)
      co_return Response{.status = static_cast<int>(*code), .body = fmt::format("status {}\n", *code)};
  if (what == "pages" && path.size() == 3) co_return page(path);
  co_return not_found;
}

Response Site::page(const Path& path) {
  const auto pages = number(path[1], 1'000'000);
  const auto page = number(path[2], pages.value_or(0));
  if (!page || *page == 0) return not_found;
  const std::string next = *page == *pages ? "null" : fmt::format("\"/pages/{}/{}\"", *pages, *page + 1);
  return {.type = "application/json",
          .body = fmt::format("{{\"items\": [{}], \"next\": {}}}\n", *page, next)};
}

Co<Response> Site::delayed(const Path& path, Stream& stream) {
  const auto length = number(path[1], 3'600'000);
  if (!length) co_return not_found;
  co_await stay(stream, std::chrono::milliseconds(*length));
  co_return Response{.body = fmt::format("{} after {} ms\n", path.size() == 3 ? path[2] : "done", *length)};
}

Response Site::flaky(const Path& path) {
  const auto failures = number(path[2], 1'000'000);
  if (!failures) return not_found;
  const std::uint64_t request = ++flaky_requests_[std::string(path[1])];
  if (request <= *failures)
    return {.status = 503, .body = fmt::format("failure {} of {}\n", request, *failures)};
  return {.body = fmt::format("ok after {} failures\n", *failures)};
}

Response Site::peak() const {
  return {.type = "application/json",
          .body = fmt::format("{{\"now\": {}, \"peak\": {}, \"requests\": {}}}\n", now_, peak_, requests_)};
}

// What is being served now is still there, and no peak is lower.
void Site::reset() {
  peak_ = now_;
  requests_ = 0;
  flaky_requests_.clear();
}

}  // namespace web
