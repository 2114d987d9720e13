#include "core/process/launcher/jobserver_share.hpp"

#include "core/process/launcher/messages.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace gather::process::launcher {

bool JobserverShare::take(Channel::Message& message) {
  SharedJobserver jobserver;
  Reader body(message.body);
  body >> jobserver;
  if (!message.complete) return false;
  // Ours stay clear of the numbers that children see.
  const int first =
      jobserver.in_children ? std::max(jobserver.in_children->read, jobserver.in_children->write) : 2;
  const auto take = [&](int& place) {
    if (place < 0) return;
    descriptors_.emplace_back(
        fcntl(message.descriptors[static_cast<std::size_t>(place)].get(), F_DUPFD_CLOEXEC, first + 1));
    place = descriptors_.back().get();
  };
  if (jobserver.pipe) {
    take(jobserver.pipe->read);
    take(jobserver.pipe->write);
  }
  take(jobserver.give_back_to);
  take(jobserver.held);
  if (jobserver.held >= 0) {
    auto held = HeldTokens::of(Descriptor(fcntl(jobserver.held, F_DUPFD_CLOEXEC, first + 1)));
    if (!held) return false;
    held_.emplace(*std::move(held));
    give_back_to_ = jobserver.give_back_to;
  }
  passed_ = jobserver.passed();
  return true;
}

void JobserverShare::give_back_all() noexcept {
  if (held_) held_->give_back_all(give_back_to_);
}

}  // namespace gather::process::launcher
