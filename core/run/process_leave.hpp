/// What a process needs besides slots: a token, where somebody outside counts processes, and a machine that
/// is not overloaded.
#pragma once

#include "core/run/admission.hpp"
#include "core/run/claims.hpp"

#include <cstddef>
#include <functional>

namespace gather::run {

/// Leave from outside to run processes: make's jobserver. Each process but one needs a token while it runs.
class Tokens {
 public:
  virtual ~Tokens() = default;

  /// Takes one, if there is one to be had now.
  virtual bool take() = 0;
  /// Gives back one that was taken.
  virtual void give_back() noexcept = 0;
  /// Calls `come` on the loop's thread whenever there may be one, until this is called with nothing.
  virtual void watch(std::function<void()> come) = 0;
  /// No process runs, and no token is taken.
  virtual void nothing_runs() {}
};

/// Whether the machine bears another process: --max-load, --min-free-mem.
class Machine {
 public:
  virtual ~Machine() = default;

  virtual bool has_room() = 0;
  /// A process has been started that no measurement may show yet.
  virtual void process_started() {}
};

/// Asks for tokens only when a process lacks nothing else, and gives back at once what none of them uses.
class ProcessLeave {
 public:
  /// Those that are null ask nothing. All outlive this.
  ProcessLeave(Tokens* tokens, Machine* machine, const Claims& claims, Admission& admission)
      : tokens_(tokens), machine_(machine), claims_(claims), admission_(admission) {}
  ProcessLeave(const ProcessLeave&) = delete;
  ProcessLeave& operator=(const ProcessLeave&) = delete;
  ~ProcessLeave() { close(); }

  /// Before each Admission::next().
  void look_at_machine(Duration now);
  void process_started();
  void process_ended() { --running_; }

  /// Takes a token that somebody lacks: then ask next() again. Requires: it has found nobody.
  bool take_token(Duration now);
  /// Gives back what is not used, and has `come` called when there may be a token, if one is lacked.
  void settle(Duration now, const std::function<void()>& come);
  /// Whether somebody waits for the machine alone: look again after look_again.
  bool waits_for_machine(Duration now);
  static constexpr Duration look_again = std::chrono::milliseconds(200);

  /// Gives everything back; nobody will be let in any more.
  void close();

 private:
  Tokens* tokens_;
  Machine* machine_;
  const Claims& claims_;
  Admission& admission_;
  std::int64_t running_ = 0;
  std::int64_t held_ = 0;     // Tokens.
  std::int64_t allowed_ = 1;  // By the machine.
  bool watching_ = false;
  bool ran_ = false;  // When it was settled last.
};

}  // namespace gather::run
