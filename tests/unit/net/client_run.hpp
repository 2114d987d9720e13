/// For the tests of the HTTP session: a coroutine run with a deadline, and waiting for what another thread
/// does.
#pragma once

#include "core/async/combine/timeout.hpp"
#include "core/async/task/sleep.hpp"
#include "core/net/client.hpp"
#include "tests/support/scripted_server.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace gather::test {

using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

/// Runs `body`, a `Co<T>()`, as the main task; after a minute it is cancelled and TimeoutError leaves.
template <class Body>
auto within(async::Loop& loop, Body body) {
  return loop.run(async::timeout(std::chrono::minutes(1), std::move(body)));
}

/// Waits until `condition` holds, which another thread makes true; two seconds at most.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

/// The same where the loop must go on meanwhile.
template <class Condition>
async::Co<bool> soon(Condition condition) {
  for (int i = 0; i < 2000 && !condition(); ++i) co_await async::sleep(std::chrono::milliseconds(1));
  co_return condition();
}

/// The name of its class, and its sentence with every host and port as HOST: "InvalidURL: …".
std::string describe(const net::ClientError& error);

/// The same of the one that `body` ends with; "no error" without one.
template <class Body>
std::string error_of(async::Loop& loop, Body body) {
  try {
    within(loop, std::move(body));
  } catch (const net::ClientError& error) {
    return describe(error);
  }
  return "no error";
}

}  // namespace gather::test
