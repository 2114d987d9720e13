/// Runs `fetch` tasks: a request over the run's session, verified and written where the task says.
#pragma once

#include "core/async/sync/lock.hpp"
#include "core/net/checksum_list.hpp"
#include "core/net/download.hpp"
#include "core/net/session.hpp"
#include "core/run/executor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gather::run {

class FetchExecutor final : public Executor {
 public:
  /// The session outlives this.
  explicit FetchExecutor(net::Session& session) : session_(session) {}

  /// Body bytes that have come since the start, of attempts that failed, too.
  std::uint64_t received() const noexcept { return received_; }

  /// From now on everything is fetched, whatever is there already: for runs that are compared.
  void fetch_anew() noexcept { anew_ = true; }
  /// Forgets the lists of checksums. Requires: no attempt is under way.
  void forget() noexcept { lists_.clear(); }

  async::Co<> attempt(const AttemptContext& context, AttemptResult& result) override;

 private:
  using List = std::vector<net::ListedChecksum>;

  /// Fills in the checksum from the list that the job names. An outcome if that can't be done.
  async::Co<std::optional<Outcome>> look_up(const AttemptContext& context, net::Download& download);
  async::Co<std::optional<Outcome>> read_list(const AttemptContext& context, const std::string& source);

  net::Session& session_;
  std::uint64_t received_ = 0;
  bool anew_ = false;
  std::unordered_map<std::string, List> lists_;  // By path or URL; each is read once.
  async::Lock reading_;                          // A list: who needs the same one waits for it.
};

}  // namespace gather::run
