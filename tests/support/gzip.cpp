#include "tests/support/gzip.hpp"

#include <algorithm>
#include <cstdint>

namespace gather::test {
namespace {

constexpr std::string_view head("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::uint32_t crc(std::string_view body) {
  std::uint32_t value = 0xffffffff;
  for (const char c : body) {
    value ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~value;
}

/// Bits as deflate packs them: from the lowest of each byte.
class Bits {
 public:
  /// The lowest bit first, as numbers go.
  void number(unsigned value, int count) {
    for (int i = 0; i < count; ++i) push((value >> i & 1) != 0);
  }
  /// The highest bit first, as codes go.
  void code(unsigned value, int count) {
    for (int i = count; i-- > 0;) push((value >> i & 1) != 0);
  }
  std::string take() {
    while (used_ != 0) push(false);
    return std::move(bytes_);
  }

 private:
  void push(bool bit) {
    if (used_ == 0) bytes_ += '\0';
    if (bit) bytes_.back() = static_cast<char>(bytes_.back() | (1 << used_));
    used_ = (used_ + 1) % 8;
  }

  std::string bytes_;
  int used_ = 0;
};

}  // namespace

std::string gzip(std::string_view body) {
  std::string bytes(head);
  std::string_view left = body;
  do {  // Stored blocks.
    const std::string_view block = left.substr(0, 0xffff);
    left.remove_prefix(block.size());
    bytes += left.empty() ? '\1' : '\0';
    bytes += little_endian(block.size(), 2) + little_endian(~block.size(), 2);
    bytes += block;
  } while (!left.empty());
  return bytes + little_endian(crc(body), 4) + little_endian(body.size(), 4);
}

std::string gzip_bomb(std::size_t size) {
  Bits bits;
  bits.number(1, 1);  // The last block,
  bits.number(1, 2);  // with fixed codes:
  const auto literal_zero = [&] { bits.code(0x30, 8); };
  std::size_t done = 0;
  if (size > 0) literal_zero(), ++done;
  for (; size - done >= 258; done += 258) {
    bits.code(0xc5, 8);  // 258 bytes
    bits.code(0, 5);     // from one back.
  }
  for (; done < size; ++done) literal_zero();
  bits.code(0, 7);
  return std::string(head) + bits.take() + little_endian(0, 4) + little_endian(size, 4);
}

}  // namespace gather::test
