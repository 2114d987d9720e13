/// From texts to numbers, for very many texts: one block of memory, where std::unordered_map takes one per
/// text.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace gather::job {

/// The texts belong to the caller, who keeps them. Open addressing with linear probing, at most half full.
class TextIndex {
 public:
  explicit TextIndex(std::size_t most) : slots_(std::bit_ceil(2 * most + 1)) {}

  /// Adds `text`, unless it is there: then the number it was added with comes back.
  /// Requires: no more texts than were announced.
  std::optional<std::uint32_t> add(std::string_view text, std::uint32_t number) {
    Slot& slot = slots_[place(text)];
    if (slot.used) return slot.number;
    slot = {text, number, true};
    return std::nullopt;
  }

  std::optional<std::uint32_t> find(std::string_view text) const {
    const Slot& slot = slots_[place(text)];
    return slot.used ? std::optional(slot.number) : std::nullopt;
  }

 private:
  struct Slot {
    std::string_view text;
    std::uint32_t number = 0;
    bool used = false;
  };

  /// Where `text` is, or would go.
  std::size_t place(std::string_view text) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = std::hash<std::string_view>()(text) & mask;
    while (slots_[at].used && slots_[at].text != text) at = (at + 1) & mask;
    return at;
  }

  std::vector<Slot> slots_;
};

}  // namespace gather::job
