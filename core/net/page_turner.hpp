/// Asks for one page after the other. Only files of core/net include this.
#pragma once

#include "core/net/download.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace gather::net {

/// Takes what a page holds (Page::items); false ends it.
using PageTaker = std::function<bool(std::string_view items)>;

/// Asks for all pages of `wanted`, beginning with `first`, which is its request. How it ended badly; nothing
/// if the last page was taken, or `take` did not want to go on. Every page is held to `wanted.expect.head`;
/// what concerns the whole is the caller's.
///
/// All arguments must outlive the call.
async::Co<std::optional<DownloadResult>> turn_pages(Session& session, const Download& wanted,
                                                    const Request& first, PageTaker take);

}  // namespace gather::net
