/// What an attempt wrote, as observers see it: a Spool behind the interface. Only executors include this.
#pragma once

#include "core/process/spool.hpp"
#include "core/run/observer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace gather::run {

class SpooledOutput final : public Output {
 public:
  explicit SpooledOutput(process::Spool spool) : spool_(std::move(spool)) {}
  std::uint64_t size() const override { return spool_.size(); }
  void read(const Sink& sink) const override { spool_.read(sink); }
  std::optional<std::size_t> memory() const override {
    return spool_.spilled() ? std::nullopt : std::optional(spool_.memory());
  }
  void read_end(std::uint64_t most, const Sink& sink) const override { spool_.read_end(most, sink); }

 private:
  process::Spool spool_;
};

/// Null if nothing was written.
inline std::unique_ptr<const Output> output(process::Spool&& spool) {
  return spool.size() == 0 ? nullptr : std::make_unique<const SpooledOutput>(std::move(spool));
}

}  // namespace gather::run
