/// What can go wrong with a stream.
#pragma once

#include "core/async/io/address.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gather::async {

/// A connection could not be made, or broke: "read: Connection reset by peer".
class StreamError : public std::runtime_error {
 public:
  /// `code` is an errno value: ECONNRESET, EPIPE, ECONNREFUSED, …; ECANCELED for what our own close() or
  /// abort() ended.
  StreamError(std::string_view doing, int code);

  int code() const noexcept { return code_; }

 protected:
  struct Sentence {
    std::string text;
  };
  StreamError(const Sentence& complete, int code) : std::runtime_error(complete.text), code_(code) {}

 private:
  int code_;
};

/// No address of a host could be connected to: "can't connect to localhost:80: [::1]:80: Connection refused;
/// 127.0.0.1:80: Connection refused". Its code is that of the first attempt.
class ConnectError : public StreamError {
 public:
  struct Attempt {
    Address address;
    int code;
  };

  /// Requires: `attempts` is not empty.
  ConnectError(std::string_view endpoint, std::vector<Attempt> attempts);

  /// In the order of the addresses.
  const std::vector<Attempt>& attempts() const noexcept { return attempts_; }

 private:
  std::vector<Attempt> attempts_;
};

/// The stream ended before all that was asked for had come (asyncio's IncompleteReadError).
class IncompleteRead : public std::runtime_error {
 public:
  explicit IncompleteRead(std::string partial, std::optional<std::size_t> expected = std::nullopt);

  /// What had come; it is no longer in the stream.
  const std::string& partial() const noexcept { return partial_; }
  /// How many bytes were asked for; none if it was a delimiter.
  std::optional<std::size_t> expected() const noexcept { return expected_; }

 private:
  std::string partial_;
  std::optional<std::size_t> expected_;
};

/// No delimiter within the limit (asyncio's LimitOverrunError).
class LimitOverrun : public std::runtime_error {
 public:
  LimitOverrun(std::string partial, std::size_t consumed)
      : std::runtime_error("no delimiter within the limit"),
        partial_(std::move(partial)),
        consumed_(consumed) {}

  /// A copy of what had come. After readuntil it is still in the stream, for a read of another kind; after
  /// readline it is not.
  const std::string& partial() const noexcept { return partial_; }
  /// How many bytes of it can be taken without cutting a delimiter in two.
  std::size_t consumed() const noexcept { return consumed_; }

 private:
  std::string partial_;
  std::size_t consumed_;
};

}  // namespace gather::async
