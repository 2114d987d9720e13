/// A run of fetches as JSON Lines: one record for each URL, in their order.
#pragma once

#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <functional>
#include <string_view>

namespace gather::report {

/// Calls `sink` with whole lines. Keys: `url`, `final_url` (after redirects), `output` (null without a file),
/// `ok`, `state`, `kind` (of the failure, null if there is none: http, dns, connect, tls, timeout, stalled,
/// truncated, redirect, protocol, checksum, expect, too-large, local-io, cancelled …), `status`,
/// `http_version`, `resumed_from` (bytes that were there), `bytes`, `sha256`, `attempts`, `queue_ms` (from
/// the start of the run to the first attempt), `dns_ms`, `connect_ms`, `tls_ms`, `ttfb_ms`, `body_ms` (of the
/// last attempt; null if no server was asked), `total_ms` (from there to the end), `message`.
///
/// Requires: every task is a fetch.
void write_fetch_records(const job::Job& job, const run::Record& record,
                         const std::function<void(std::string_view)>& sink);

}  // namespace gather::report
