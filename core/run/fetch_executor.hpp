/// Runs `fetch` tasks: a request over the run's session, verified and written where the task says.
#pragma once

#include "core/async/sync/lock.hpp"
#include "core/net/checksum_list.hpp"
#include "core/net/download.hpp"
#include "core/net/session.hpp"
#include "core/run/executor.hpp"
#include "core/run/inputs.hpp"
#include "core/run/late_names.hpp"

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

  /// Nothing but these downloads makes files where their outputs go, as far as anybody knows.
  void alone_in_folders() { folders_.emplace(); }
  /// From now on everything is fetched, whatever is there already: for runs that are compared.
  void fetch_anew() noexcept { anew_ = true; }
  /// Bodies without a file are kept where it has readers for them; null: none is. It outlives the attempts.
  void keep_for(const Inputs* inputs) { inputs_ = inputs; }
  /// Forgets the lists of checksums, and the names that servers gave. Requires: no attempt is under way.
  void forget() {
    lists_.clear();
    late_names_.forget();
  }

  async::Co<> attempt(const AttemptContext& context, AttemptResult& result) override;

 private:
  using List = std::vector<net::ListedChecksum>;
  class Telling;

  /// Downloads once, and tells `result` all but the outcome.
  async::Co<Outcome> download(const AttemptContext& context, net::Download& wanted, AttemptResult& result,
                              Telling& telling);

  /// The values of the task's outputs, into `result`. An outcome if one can't be had.
  async::Co<std::optional<Outcome>> take_outputs(const AttemptContext& context, const net::Download& wanted,
                                                 const net::Fetched& fetched, AttemptResult& result);
  /// Made once for all that follow each other and share one.
  net::SharedTransport transport_of(const AttemptContext& context);
  /// Leaves the name of the file to the server.
  void let_server_name(const AttemptContext& context, net::Download& download);
  /// Fills in the checksum from the list that the job names. An outcome if that can't be done.
  async::Co<std::optional<Outcome>> look_up(const AttemptContext& context, net::Download& download);
  async::Co<std::optional<Outcome>> read_list(const AttemptContext& context, const std::string& source);

  net::Session& session_;
  std::optional<net::OutputFolders> folders_;
  std::uint64_t received_ = 0;
  bool anew_ = false;
  const Inputs* inputs_ = nullptr;
  Shared<job::Transport> last_wanted_;  // What last_transport_ was made of, with last_directory_.
  std::filesystem::path last_directory_;
  std::optional<net::SharedTransport> last_transport_;
  std::unordered_map<std::string, List> lists_;  // By path or URL; each is read once.
  LateNames late_names_;
  async::Lock reading_;  // A list: who needs the same one waits for it.
};

}  // namespace gather::run
