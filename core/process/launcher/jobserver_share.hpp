/// What the launcher has of a jobserver.
#pragma once

#include "core/async/io/child.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/jobserver/held_tokens.hpp"
#include "core/process/launcher/channel.hpp"

#include <optional>
#include <span>
#include <vector>

namespace gather::process::launcher {

/// The descriptors of a jobserver that children get, and the tokens that gather holds, for the case that it
/// dies. Empty until a message (Kind::share) has come.
class JobserverShare {
 public:
  /// False, and gather is not to be answered, if the message lacks descriptors: everything else will, too.
  bool take(Channel::Message& message);

  /// For every child. Good until the next take().
  std::span<const async::PassedDescriptor> passed() const noexcept { return passed_; }

  /// What gather held when it ended; nothing where that was in good order.
  void give_back_all() noexcept;

 private:
  std::vector<Descriptor> descriptors_;
  std::vector<async::PassedDescriptor> passed_;
  std::optional<HeldTokens> held_;
  int give_back_to_ = -1;
};

}  // namespace gather::process::launcher
