/// Runs `fetch` tasks: a request over the run's session, verified and written where the task says.
#pragma once

#include "core/net/session.hpp"
#include "core/run/executor.hpp"

namespace gather::run {

class FetchExecutor final : public Executor {
 public:
  /// The session outlives this.
  explicit FetchExecutor(net::Session& session) : session_(session) {}

  /// Body bytes that have come since the start, of attempts that failed, too.
  std::uint64_t received() const noexcept { return received_; }

  async::Co<> attempt(const AttemptContext& context, AttemptResult& result) override;

 private:
  net::Session& session_;
  std::uint64_t received_ = 0;
};

}  // namespace gather::run
