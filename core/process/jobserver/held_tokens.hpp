/// The tokens of a jobserver that gather holds, in memory that its launcher shares: whichever half outlives
/// the other gives them back.
#pragma once

#include "core/process/descriptor.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

namespace gather::process {

/// A byte is read straight into the shared memory, so that there is no moment in which it is nowhere else.
/// Only both halves killed in the same instant lose what they hold. Killed between the system call that gives
/// a byte back and the note that it did, a half leaves one that is given back twice: a token too many does
/// less harm than one too few, for which everybody waits for ever.
class HeldTokens {
 public:
  /// Room for `most` tokens; an errno value if there can be none.
  static std::expected<HeldTokens, int> make(std::size_t most);
  /// The same memory in the other half, by its descriptor.
  static std::expected<HeldTokens, int> of(Descriptor memory);

  HeldTokens(HeldTokens&& other) noexcept;
  HeldTokens& operator=(HeldTokens&&) = delete;
  ~HeldTokens();

  /// For the other half.
  int descriptor() const noexcept { return memory_.get(); }

  /// Takes a token from the jobserver, whose descriptor never blocks. False if there is none to be had, or no
  /// room for another one.
  bool take(int from) noexcept;
  /// Gives one back. Requires: one is held.
  void give_back(int to) noexcept;
  /// Gives all back, also one that the other half was about to take or give when it was killed.
  void give_back_all(int to) noexcept;

 private:
  enum class State : std::uint8_t { empty, taking, held, giving };
  struct Entry {
    std::atomic<State> state;
    std::uint8_t byte;  // 0 until it was read; make's are '+'.
  };

  HeldTokens(Descriptor memory, std::span<Entry> entries);

  void give(Entry& entry, State from, int to) noexcept;

  Descriptor memory_;
  std::span<Entry> entries_;
  std::uint32_t never_used_ = 0;  // This one and all behind it.
  std::vector<std::uint32_t> empty_ = {};
  std::vector<std::uint32_t> held_ = {};
};

}  // namespace gather::process
