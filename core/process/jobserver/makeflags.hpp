/// The value of MAKEFLAGS, as far as it is about a jobserver: pure functions of text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace gather::process {

/// A jobserver that is an open pipe, by the numbers of its two ends.
struct PipeAuth {
  int read = -1;
  int write = -1;

  friend bool operator==(const PipeAuth&, const PipeAuth&) = default;
};
/// One that is a fifo, by its path.
struct FifoAuth {
  std::string path;

  friend bool operator==(const FifoAuth&, const FifoAuth&) = default;
};
using JobserverAuth = std::variant<PipeAuth, FifoAuth>;

/// The jobserver that `makeflags` names; the last one counts, as for make. Nothing if there is none, or
/// none that can be meant: make itself writes negative numbers for one that it has closed.
std::optional<JobserverAuth> jobserver_of(std::string_view makeflags);

/// Whether make was called with -n, and nothing is to be done.
bool is_dry_run(std::string_view makeflags);

/// `makeflags` without a jobserver and without -j.
std::string without_jobserver(std::string_view makeflags);

/// `makeflags` with this one instead of any other, which holds `slots` in all.
std::string with_jobserver(std::string_view makeflags, const JobserverAuth& auth, std::size_t slots);

}  // namespace gather::process
