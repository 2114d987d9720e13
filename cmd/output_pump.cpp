#include "cmd/output_pump.hpp"

#include "core/base/error.hpp"

#include <algorithm>

namespace gather::cmd {

OutputPump::~OutputPump() {
  try {
    end();
  } catch (const Error&) {  // Another one is on its way already.
  }
}

void OutputPump::begin() {
  terminal_.never_wait([this](int descriptor) { watch(descriptor); });
}

void OutputPump::end() {
  for (Watch& watch : watches_) watch.stop();
  valve_.open();
  terminal_.wait_again();
}

void OutputPump::watch(int descriptor) {
  valve_.close();
  const auto watches_it = [&](const Watch& watch) {
    return watch.watching() && watch.descriptor() == descriptor;
  };
  if (std::ranges::any_of(watches_, watches_it)) return;
  const auto idle = std::ranges::find_if_not(watches_, &Watch::watching);
  idle->begin(descriptor);
}

void OutputPump::Watch::begin(int descriptor) {
  descriptor_ = descriptor;
  start(pump_.loop_, descriptor, async::Events::writable);
}

void OutputPump::writable(Watch& watch) noexcept {
  if (!terminal_.pass_on(watch.descriptor())) return;
  watch.stop();
  if (std::ranges::none_of(watches_, &Watch::watching)) valve_.open();
}

}  // namespace gather::cmd
