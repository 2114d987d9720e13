#include "core/run/executor.hpp"

#include "core/async/task/future.hpp"

#include <cassert>

namespace gather::run {

Executor& Executors::operator[](Kind kind) const {
  assert(kind != Kind::none);
  return kind == Kind::sleep ? sleep : kind == Kind::process ? process : fetch;
}

async::Co<> SleepExecutor::attempt(const AttemptContext& context, AttemptResult& result) {
  co_await async::sleep(std::get<job::Sleep>(context.task().action).length);
  result.outcome = Passed{};
}

}  // namespace gather::run
