#include "core/async/io/stream_error.hpp"

#include "core/base/error.hpp"

#include <fmt/format.h>

namespace gather::async {
namespace {

std::string told(std::size_t partial, std::optional<std::size_t> expected) {
  if (!expected) return "the stream ended before the delimiter";
  return fmt::format("the stream ended after {} of {} bytes", partial, *expected);
}

std::string told(std::string_view endpoint, const std::vector<ConnectError::Attempt>& attempts) {
  std::string text = fmt::format("can't connect to {}", endpoint);
  const char* separator = ": ";
  for (const auto& [address, code] : attempts) {
    text += separator;
    if (address.text() != endpoint) text += address.text() + ": ";
    text += system_error_text(code);
    separator = "; ";
  }
  return text;
}

}  // namespace

StreamError::StreamError(std::string_view doing, int code)
    : std::runtime_error(fmt::format("{}: {}", doing, system_error_text(code))), code_(code) {}

ConnectError::ConnectError(std::string_view endpoint, std::vector<Attempt> attempts)
    : StreamError(Sentence(told(endpoint, attempts)), attempts.front().code),
      attempts_(std::move(attempts)) {}

IncompleteRead::IncompleteRead(std::string partial, std::optional<std::size_t> expected)
    : std::runtime_error(told(partial.size(), expected)), partial_(std::move(partial)), expected_(expected) {}

}  // namespace gather::async
