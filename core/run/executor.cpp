#include "core/run/executor.hpp"

#include "core/async/future.hpp"

#include <cassert>

namespace gather::run {

Kind kind_of(const job::Action& action) {
  struct {
    Kind operator()(const job::Milestone&) const { return Kind::none; }
    Kind operator()(const job::Sleep&) const { return Kind::sleep; }
    Kind operator()(const job::Run&) const { return Kind::process; }
    Kind operator()(const job::Shell&) const { return Kind::process; }
    Kind operator()(const std::unique_ptr<const job::Fetch>&) const { return Kind::fetch; }
  } kind;
  return std::visit(kind, action);
}

Executor& Executors::operator[](Kind kind) const {
  assert(kind != Kind::none);
  return kind == Kind::sleep ? sleep : kind == Kind::process ? process : fetch;
}

async::Co<> SleepExecutor::attempt(const AttemptContext& context, AttemptResult& result) {
  co_await async::sleep(std::get<job::Sleep>(context.task().action).length);
  result.outcome = Passed{};
}

}  // namespace gather::run
