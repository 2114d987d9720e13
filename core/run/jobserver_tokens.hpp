/// The tokens of make's jobserver, as the scheduler takes them.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/loop/watch.hpp"
#include "core/process/jobserver/jobserver.hpp"
#include "core/run/process_leave.hpp"

#include <functional>
#include <utility>

namespace gather::run {

/// Watches the jobserver only while somebody waits for a token.
class JobserverTokens final : public Tokens, private async::FdWatch {
 public:
  /// Tells of tokens that were not given back.
  using Lost = std::function<void(std::size_t)>;

  /// Both outlive this. None is taken before ready().
  JobserverTokens(async::Loop& loop, process::Jobserver& jobserver, Lost lost)
      : loop_(loop), jobserver_(jobserver), lost_(std::move(lost)) {}
  ~JobserverTokens() { call_.cancel(); }

  /// From now on what is taken is not lost, should this process be killed.
  void ready();

  bool take() override { return ready_ && jobserver_.take(); }
  void give_back() noexcept override { jobserver_.give_back(); }
  void watch(std::function<void()> come) override;
  void nothing_runs() override;

 private:
  void on_events(async::Events events) noexcept override;

  async::Loop& loop_;
  process::Jobserver& jobserver_;
  Lost lost_;
  std::function<void()> come_;
  async::Call call_;
  bool ready_ = false;
  bool called_ = false;
};

}  // namespace gather::run
