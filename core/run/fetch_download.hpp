/// What a fetch task asks, in the words of core/net. Only the executor of fetches includes this.
#pragma once

#include "core/job/model.hpp"
#include "core/net/download.hpp"
#include "core/run/executor.hpp"

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gather::run {

/// Requires: the task is a fetch.
const job::Fetch& fetch_of(const AttemptContext& context);

/// All but the transport, the secrets, and what the executor adds of its own. The task must outlive it.
net::Download download_for(const AttemptContext& context);

/// One value of a header that may come several times, as HTTP joins them; nothing if it did not come.
std::optional<std::string> joined(const net::Headers& headers, std::string_view name);

net::Transport transport_for(const job::Transport& wanted, const std::filesystem::path& directory);

/// The value of the header Authorization, empty for none; or why it can't be made. Reads what holds the
/// secret.
std::expected<std::string, std::string> authorization_for(const job::Auth& auth,
                                                          const std::filesystem::path& directory);

}  // namespace gather::run
