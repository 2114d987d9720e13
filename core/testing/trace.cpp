#include "core/testing/trace.hpp"

#include "core/base/duration.hpp"

#include <fmt/format.h>

namespace gather::testing {

void Trace::note(std::string_view event) {
  text_ += fmt::format("{:g} ms {}\n", to_milliseconds(loop_.now() - start_), event);
}

}  // namespace gather::testing
