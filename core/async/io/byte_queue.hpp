/// Bytes that have come in and that nobody has taken yet.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace gather::async {

/// First in, first out. Taking much, and all there is, moves the memory instead of copying it. Small messages
/// are copied: their memory is then asked for and freed within a step, which is malloc's quickest case, where
/// moving it would have one piece in use for each connection that has something to read.
class ByteQueue {
 public:
  std::size_t size() const noexcept { return bytes_.size() - taken_; }
  bool empty() const noexcept { return size() == 0; }

  /// Valid until the next append or take.
  std::string_view view() const noexcept { return std::string_view(bytes_).substr(taken_); }

  void append(std::string_view bytes) {
    if (taken_ > bytes_.size() / 2) {  // Moves each byte once at most, on the average.
      bytes_.erase(0, taken_);
      taken_ = 0;
    }
    bytes_ += bytes;
  }

  /// The first `most` bytes, or all if there are fewer.
  std::string take(std::size_t most) {
    if (taken_ == 0 && most >= bytes_.size() && bytes_.capacity() > small) return std::exchange(bytes_, {});
    std::string result = bytes_.substr(taken_, most);
    taken_ += result.size();
    if (taken_ == bytes_.size()) {
      bytes_.clear();
      taken_ = 0;
    }
    return result;
  }

 private:
  static constexpr std::size_t small = 1024;  // So much is kept at most by a connection that is idle.

  std::string bytes_;
  std::size_t taken_ = 0;  // Of bytes_, from the front.
};

}  // namespace gather::async
