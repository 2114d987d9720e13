#include "core/async/task/cell.hpp"

#include "core/async/loop/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace gather::async {

void Cell::report_unretrieved() noexcept {
  if (state_ != State::failed || error_retrieved_) return;
  const std::source_location site = extras_ ? extras_->created_at : std::source_location();
  loop_.complain({fmt::format("{} failed, and nobody asked for its result", title()), error_, site});
}

Cell::Extras& Cell::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

CallbackId Cell::add_done_callback(Callback callback) {
  const CallbackId id = loop_.next_callback_id();
  if (done()) {
    loop_.call_soon([self = CellRef(*this), call = std::move(callback)]() mutable { call(self.get()); });
  } else {
    extras().callbacks.push_back({id, std::move(callback), copy_context()});
  }
  return id;
}

bool Cell::remove_done_callback(CallbackId id) {
  return extras_ && std::erase_if(extras_->callbacks, [&](const auto& each) { return each.id == id; }) > 0;
}

void Cell::end(State state, std::exception_ptr error) noexcept {
  assert(!done());
  state_ = state;
  error_ = std::move(error);
  while (first_hook_ != nullptr) {
    DoneHook& hook = *first_hook_;
    first_hook_ = std::exchange(hook.next_, nullptr);
    hook.on_done(*this);
  }
  if (!extras_) return;
  for (auto& [id, callback, context] : std::exchange(extras_->callbacks, {}))
    context.run([&] {
      loop_.call_soon([self = CellRef(*this), call = std::move(callback)]() mutable { call(self.get()); });
    });
}

void Cell::add_hook(DoneHook& hook) noexcept {
  assert(!done());
  DoneHook** place = &first_hook_;
  while (*place != nullptr) place = &(*place)->next_;  // A second hook is rare, a third hardly seen.
  *place = &hook;
}

void Cell::remove_hook(DoneHook& hook) noexcept {
  for (DoneHook** place = &first_hook_; *place != nullptr; place = &(*place)->next_)
    if (*place == &hook) {
      *place = std::exchange(hook.next_, nullptr);
      return;
    }
}

}  // namespace gather::async
