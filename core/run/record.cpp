#include "core/run/record.hpp"

namespace gather::run {

std::string_view name(State state) {
  switch (state) {
    case State::waiting:
      return "waiting";
    case State::ready:
      return "ready";
    case State::running:
      return "running";
    case State::passed:
      return "passed";
    case State::flaky:
      return "flaky";
    case State::failed:
      return "failed";
    case State::timed_out:
      return "timed_out";
    case State::cancelled:
      return "cancelled";
    case State::skipped:
      return "skipped";
  }
  return "";
}

}  // namespace gather::run
