/// Being served soon on a machine that is full of children.
#pragma once

namespace gather::process::launcher {

/// Asks for the calling thread to be let in soon when it wakes, for a short time (Linux 6.12; earlier kernels
/// do nothing). It gets no larger share of the processors. Neither threads nor processes inherit it.
///
/// Each job needs the launcher for a tenth of a millisecond, while a slot is idle until it has had that;
/// behind children with the usual slice the launcher would wait for half of the time. See *What a start
/// costs* in core/README.md.
void ask_for_short_slices() noexcept;

}  // namespace gather::process::launcher
