/// make's jobserver: gather takes its tokens from one that is there, or makes one for the programs that it
/// runs. Knows neither loop nor tasks.
#pragma once

#include "core/async/io/child.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/jobserver/held_tokens.hpp"
#include "core/process/jobserver/makeflags.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::process {

/// What whoever starts processes must know of a jobserver; see Starter::share.
struct SharedJobserver {
  std::optional<PipeAuth> pipe;         ///< Its ends, as this process has them; children get them, too.
  std::optional<PipeAuth> in_children;  ///< Their numbers there. None for a fifo, which has a name.
  int give_back_to = -1;                ///< Where tokens go.
  int held = -1;                        ///< HeldTokens' memory; none where nothing would be lost.

  /// What each child gets: nothing, or both ends, in the order of their numbers.
  std::vector<async::PassedDescriptor> passed() const;
};

class Jobserver {
 public:
  enum class Style : std::uint8_t { pipe, fifo };

  /// Joins the one that `auth` names, as a client that holds `most` tokens at most. The error is a sentence
  /// about why that can't be; make may have closed a pipe's ends, whose numbers may be anything by now.
  static std::expected<std::unique_ptr<Jobserver>, std::string> join(const JobserverAuth& auth,
                                                                     std::size_t most);

  /// Makes one with so many slots, of which one is nobody's token: it belongs to whoever is first. At least
  /// 2, at most most_slots. A fifo stands in a folder of its own in TMPDIR until this is destroyed.
  static std::expected<std::unique_ptr<Jobserver>, std::string> make(std::size_t slots, Style style);
  static constexpr std::size_t most_slots = 60'000;  // A pipe holds 65,536 bytes.

  Jobserver(const Jobserver&) = delete;
  Jobserver& operator=(const Jobserver&) = delete;
  ~Jobserver();

  /// Takes a token, if there is one now.
  bool take() noexcept;
  /// Gives one back that was taken.
  void give_back() noexcept;

  /// Readable when there may be a token.
  int descriptor() const noexcept { return read_.get(); }
  SharedJobserver shared() const noexcept;

  /// MAKEFLAGS for children: that of a client as it is, else with this jobserver in it.
  std::string makeflags(std::string_view inherited) const;

  bool is_ours() const noexcept { return slots_ > 0; }

  /// The rest is for one that was made here. So many slots from now on; tokens that are out go when they
  /// return.
  void set_slots(std::size_t slots) noexcept;
  /// Requires: no token is out. Makes up for those that programs have not given back, as one does that was
  /// killed.
  void restore() noexcept;
  /// How many restore() has made up for.
  std::size_t lost() const noexcept { return lost_; }

 private:
  Jobserver(Descriptor read, Descriptor write, HeldTokens held);

  void settle_debt() noexcept;

  Descriptor read_;  // Never blocks, and is ours alone: the pipe's other users keep their own flags.
  Descriptor write_;
  HeldTokens held_;
  Descriptor pipe_read_;  // Of a pipe that was made here, for children.
  Descriptor pipe_write_;
  std::optional<PipeAuth> pipe_;
  std::optional<PipeAuth> in_children_;
  std::filesystem::path folder_;  // Of a fifo that was made here.
  std::size_t slots_ = 0;         // Of one that was made here.
  std::size_t debt_ = 0;          // Tokens to be taken out for good.
  std::size_t lost_ = 0;
};

}  // namespace gather::process
