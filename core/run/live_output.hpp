/// Who is given what processes write while they write it.
#pragma once

#include "core/job/model.hpp"

#include <cstdint>
#include <string_view>

namespace gather::run {

enum class Stream : std::uint8_t { out, err };

class LiveOutput {
 public:
  /// Called on the loop's thread, in the order of writing within a stream, between the attempt's start and
  /// its end. Returns quickly, and keeps its failures for later.
  virtual void attempt_wrote(job::TaskId id, Stream stream, std::string_view piece) noexcept = 0;

 protected:
  ~LiveOutput() = default;
};

}  // namespace gather::run
