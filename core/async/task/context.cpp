#include "core/async/task/context.hpp"

#include "core/async/loop/loop.hpp"

#include <algorithm>

namespace gather::async {

struct Context::Values {
  // Few, so a search from the front beats any tree.
  std::vector<std::pair<const void*, std::any>> list;
  mutable std::atomic<std::size_t> references = 1;  // Contexts go to threads.
};

Context::Context(const Context& other) noexcept : values_(other.values_) {
  if (values_ != nullptr) values_->references.fetch_add(1, std::memory_order_relaxed);
}

Context::~Context() {
  if (values_ != nullptr && values_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete values_;
}

const std::any* Context::find(const void* variable) const noexcept {
  if (values_ == nullptr) return nullptr;
  for (const auto& [key, value] : values_->list)
    if (key == variable) return &value;
  return nullptr;
}

Context Context::with(const void* variable, std::optional<std::any> value) const {
  auto* const values = new Values;
  Context result;
  result.values_ = values;
  if (values_ != nullptr) values->list = values_->list;
  std::erase_if(values->list, [&](const auto& each) { return each.first == variable; });
  if (value) values->list.emplace_back(variable, *std::move(value));
  return result;
}

Context::Entered::Entered(const Context& context)
    : place_(current_context()), before_(std::exchange(place_, context)) {}

Context::Entered::~Entered() { place_ = std::move(before_); }

Context& current_context() noexcept {
  static thread_local Context outside;
  Loop* const loop = Loop::running();
  return loop != nullptr ? loop->context() : outside;
}

}  // namespace gather::async
