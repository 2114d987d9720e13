#include "core/process/jobserver/held_tokens.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace gather::process {

std::expected<HeldTokens, int> HeldTokens::make(std::size_t most) {
  Descriptor memory(memfd_create("gather-tokens", MFD_CLOEXEC));
  if (!memory || ftruncate(memory.get(), static_cast<off_t>(most * sizeof(Entry))) != 0)
    return std::unexpected(errno);
  return of(std::move(memory));
}

std::expected<HeldTokens, int> HeldTokens::of(Descriptor memory) {
  struct stat status{};
  if (fstat(memory.get(), &status) != 0) return std::unexpected(errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (address == MAP_FAILED) return std::unexpected(errno);
  // A new file is all 0: every entry is empty.
  return HeldTokens(std::move(memory), std::span(static_cast<Entry*>(address), size / sizeof(Entry)));
}

HeldTokens::HeldTokens(Descriptor memory, std::span<Entry> entries)
    : memory_(std::move(memory)), entries_(entries) {}

HeldTokens::HeldTokens(HeldTokens&& other) noexcept
    : memory_(std::move(other.memory_)),
      entries_(std::exchange(other.entries_, {})),
      never_used_(other.never_used_),
      empty_(std::move(other.empty_)),
      held_(std::move(other.held_)) {}

HeldTokens::~HeldTokens() {
  if (!entries_.empty()) munmap(entries_.data(), entries_.size_bytes());
}

bool HeldTokens::take(int from) noexcept {
  if (empty_.empty()) {
    if (never_used_ == entries_.size()) return false;
    empty_.push_back(never_used_++);
  }
  Entry& entry = entries_[empty_.back()];
  entry.byte = 0;
  entry.state = State::taking;
  ssize_t count = 0;
  do count = read(from, &entry.byte, 1);
  while (count < 0 && errno == EINTR);
  entry.state = count == 1 ? State::held : State::empty;
  if (count != 1) return false;
  held_.push_back(empty_.back());
  empty_.pop_back();
  return true;
}

void HeldTokens::give_back(int to) noexcept {
  assert(!held_.empty());
  const std::uint32_t place = held_.back();
  held_.pop_back();
  empty_.push_back(place);
  give(entries_[place], State::held, to);
}

// Whoever changes the state gives it back, so that it is one of the two halves.
void HeldTokens::give(Entry& entry, State from, int to) noexcept {
  if (!entry.state.compare_exchange_strong(from, State::giving)) return;
  while (write(to, &entry.byte, 1) < 0 && errno == EINTR) {
  }
  entry.state = State::empty;
}

void HeldTokens::give_back_all(int to) noexcept {
  for (Entry& entry : entries_) {
    give(entry, State::held, to);
    if (entry.byte != 0) give(entry, State::taking, to);
    if (entry.state == State::giving) {
      entry.state = State::held;
      give(entry, State::held, to);
    }
  }
  held_.clear();
}

}  // namespace gather::process
