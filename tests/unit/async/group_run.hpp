/// Tasks for groups, and what a group's body ends with.
#pragma once

#include "core/async/combine/task_group.hpp"
#include "core/async/loop/runner.hpp"
#include "tests/unit/async/clean_up.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace gather::test {

using namespace std::chrono_literals;
using async::Cancelled;
using async::Co;
using async::sleep;

inline Co<int> value_after(Duration length, int value) {
  co_await sleep(length);
  co_return value;
}

inline Co<> sleep_for(Duration length) { co_await sleep(length); }

inline Co<> note_after(Duration length, std::string& log, std::string text) {
  try {
    co_await sleep(length);
  } catch (const Cancelled&) {
    log += "cancelled ";
    throw;
  }
  log += text;
}

inline Co<> fail_after(Duration length, std::string text) {
  co_await sleep(length);
  throw std::runtime_error(text);
}

inline Co<> fail_when_cancelled(std::string text) {
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    throw std::runtime_error(text);
  }
}

inline Co<> interrupt_after(Duration length) {
  co_await sleep(length);
  throw async::Interrupted{};
}

/// The errors of the group that `body` leaves with, "text text"; "Cancelled", or "value".
template <class Body>
Co<std::string> outcome(Body body) {
  try {
    co_await async::task_group(body);
  } catch (const async::ErrorGroup& group) {
    std::string texts;
    for (const async::ErrorGroup::Member& member : group.members()) {
      if (!texts.empty()) texts += ' ';
      texts += async::describe(member.error);
    }
    co_return texts;
  } catch (const Cancelled&) {
    co_return "Cancelled";
  }
  co_return "value";
}

}  // namespace gather::test
