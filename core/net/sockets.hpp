/// What can be told of sockets by their numbers. Only files of core/net include this.
#pragma once

#include <cstdint>

namespace gather::net {

/// What tells a socket from all others, also from a later one of the same number; 0 for what is none.
std::uint64_t cookie_of(int descriptor) noexcept;

/// Whether it is one end of a socket pair that this process has made.
bool is_end_of_our_pair(int descriptor) noexcept;

/// libcurl before 8.13 makes its wake-up pair and the pair of each lookup without close-on-exec (curl#13618).
/// A pair gets the two lowest free numbers, of which the first is `lowest` or not far above it.
void close_pair_on_exec(int lowest) noexcept;

/// The number that the next descriptor gets, if no other thread is quicker.
int lowest_free_descriptor() noexcept;

}  // namespace gather::net
