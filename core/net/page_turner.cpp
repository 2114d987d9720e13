#include "core/net/page_turner.hpp"

#include "core/async/thread/to_thread.hpp"
#include "core/base/quote.hpp"
#include "core/net/link.hpp"
#include "core/net/redirect.hpp"
#include "core/net/url.hpp"

#include <fmt/format.h>

#include <unordered_set>
#include <utility>

namespace gather::net {
namespace {

std::expected<Page, std::string> read_on_thread(const decltype(Pages::read)& read, const std::string& body) {
  return read(body);
}

/// The download of one page; `links` is told the header Link of its answer.
Download page_of(const Download& wanted, Request&& request, std::string& links) {
  Download page;
  page.url = std::move(request.url);
  page.headers = std::move(request.headers);
  page.transport = std::move(request.transport);
  page.expected = wanted.expected;
  page.expect.head = [&wanted, &links](const Head& head, bool partial) {
    links.clear();
    for (const std::string_view value : head.headers.get_all("link")) links.append(value).append(", ");
    return wanted.expect.head ? wanted.expect.head(head, partial) : std::nullopt;
  };
  page.compressed = wanted.compressed;
  page.trail = wanted.trail;
  page.received = wanted.received;
  return page;
}

}  // namespace

async::Co<std::optional<DownloadResult>> turn_pages(Session& session, const Download& wanted,
                                                    const Request& first, PageTaker take) {
  const Pages& pages = *wanted.pages;
  std::unordered_set<std::string> asked;
  Request request;
  request.url = first.url;
  request.headers = first.headers;
  request.transport = first.transport;
  for (std::size_t count = 1;; ++count) {
    asked.insert(request.url);
    std::string links;
    const Download page = page_of(wanted, std::move(request), links);
    DownloadResult result = co_await download(session, page);
    auto* const fetched = std::get_if<Fetched>(&result);
    if (fetched == nullptr) co_return std::move(result);
    auto read = co_await async::to_thread(&read_on_thread, pages.read, std::move(fetched->body));
    if (!read) co_return NotAsExpected{std::move(read.error())};
    if (!take(read->items)) co_return std::nullopt;
    const auto next = pages.next_by_link ? link_target(links, "next") : read->next;
    if (!next) co_return std::nullopt;
    if (count == pages.most) {
      if (!pages.more_is_failure) co_return std::nullopt;
      co_return Failure{Failure::Kind::too_large,
                        fmt::format("{} has more than {} pages; `max` says how many are wanted",
                                    host_of(first.url), pages.most),
                        true};
    }
    Request here;
    here.url = fetched->url;
    // Headers and certificate stay with their origin, as they do where an answer redirects.
    auto following = redirected(here, first, 302, resolved(fetched->url, *next));
    if (!following) co_return std::move(following.error());
    request = std::move(*following);
    if (asked.contains(request.url))
      co_return Failure{Failure::Kind::redirect,
                        fmt::format("{} leads from a page to one that was there already: {}",
                                    host_of(first.url), without_secrets(request.url)),
                        true};
    if (pages.before_next) co_await pages.before_next();
  }
}

}  // namespace gather::net
