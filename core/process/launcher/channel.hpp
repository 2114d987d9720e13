/// One end of the socket between gather and its launcher: messages out, messages in, descriptors with them.
/// It knows neither loop nor what the messages mean.
#pragma once

#include "core/process/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::process::launcher {

/// The two ends of a new socket, closed on exec; an errno value if there can be none.
std::expected<std::pair<Descriptor, Descriptor>, int> make_socket_pair();

/// Neither end ever blocks: what the other one does not take yet waits in memory, in order. Messages that are
/// queued together travel together, as one packet of up to 48 KB and 240 descriptors; one that is larger goes
/// as a file in memory. Both ends are the same program, so numbers are written as this machine has them.
class Channel {
 public:
  /// One message as it came; valid during the call that hands it over.
  struct Message {
    std::uint8_t kind = 0;
    std::uint64_t id = 0;
    std::string_view body;
    /// The callee's to keep. Fewer than were sent, the last ones missing, when this process may not open that
    /// many; `complete` is false then, and where a body is missing.
    std::span<Descriptor> descriptors;
    bool complete = true;
  };

  Channel() = default;
  explicit Channel(Descriptor socket) noexcept : socket_(std::move(socket)) {}

  /// For watching it; -1 once closed.
  int descriptor() const noexcept { return socket_.get(); }
  void close() noexcept { socket_.reset(); }

  /// Queues a message. `descriptors` must stay open until flush() has sent it, at most three of them. 0, or
  /// an errno value if a large body could not be put into a file; then nothing is queued.
  int send(std::uint8_t kind, std::uint64_t id, std::string_view body = {},
           std::span<const int> descriptors = {});
  /// Sends what can be sent now. False if something must wait until the socket is writable. An other end that
  /// has gone is no error here: receive() tells.
  bool flush();
  /// Whether nothing waits to be sent.
  bool idle() const noexcept { return packets_.empty(); }

  enum class Took : std::uint8_t { packet, nothing, end };
  /// Takes one packet, if there is one, and calls `handle` with each of its messages.
  Took receive(const std::function<void(Message&)>& handle);

 private:
  struct Packet {
    std::string bytes;
    std::vector<int> descriptors;
    std::vector<Descriptor> files;  // Those of `descriptors` that are ours to close.
  };
  struct Input;

  Descriptor socket_;
  std::deque<Packet> packets_;
  std::shared_ptr<Input> input_;  // Made with the first packet.
};

/// Writes the body of a message.
class Writer {
 public:
  template <class Number>
    requires std::is_arithmetic_v<Number> || std::is_enum_v<Number>
  Writer& operator<<(Number number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
    return *this;
  }
  Writer& operator<<(std::string_view text) {
    *this << static_cast<std::uint32_t>(text.size());
    bytes_.append(text);
    return *this;
  }
  Writer& operator<<(const std::vector<std::string>& texts) {
    *this << static_cast<std::uint32_t>(texts.size());
    for (const std::string& text : texts) *this << std::string_view(text);
    return *this;
  }
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads it back, in the same order. What is missing reads as 0 and empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : rest_(bytes) {}

  template <class Number>
    requires std::is_arithmetic_v<Number> || std::is_enum_v<Number>
  Reader& operator>>(Number& number) {
    const std::string_view bytes = take(sizeof number);
    if (bytes.size() == sizeof number)
      bytes.copy(reinterpret_cast<char*>(&number), sizeof number);
    else
      number = {};
    return *this;
  }
  Reader& operator>>(std::string& text) {
    std::uint32_t size = 0;
    *this >> size;
    text = take(size);
    return *this;
  }
  Reader& operator>>(std::vector<std::string>& texts) {
    std::uint32_t count = 0;
    *this >> count;
    texts.clear();
    for (; count > 0 && !rest_.empty(); --count) *this >> texts.emplace_back();
    return *this;
  }

 private:
  std::string_view take(std::size_t size) noexcept {
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }

  std::string_view rest_;
};

}  // namespace gather::process::launcher
