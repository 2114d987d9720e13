/// Task-local values: Python's contextvars. A task gets a copy of its maker's values; what it sets stays its
/// own.
#pragma once

#include <any>
#include <atomic>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::async {

/// A set of values, one per ContextVar. Copying costs a counter: the values are shared and never changed.
/// May be handed to another thread.
class Context {
 public:
  Context() = default;
  Context(const Context& other) noexcept;
  Context(Context&& other) noexcept : values_(std::exchange(other.values_, nullptr)) {}
  Context& operator=(Context other) noexcept {
    std::swap(values_, other.values_);
    return *this;
  }
  ~Context();

  /// Calls `function` with these values as the current ones, and gives what it gives; what it sets is gone
  /// afterwards. Not for coroutines: their steps come later.
  template <class Function>
  std::invoke_result_t<Function&> run(Function&& function) const;

  /// Null if it was never set here.
  const std::any* find(const void* variable) const noexcept;
  /// A copy in which `variable` has this value, or none.
  Context with(const void* variable, std::optional<std::any> value) const;

 private:
  class Entered;
  struct Values;

  const Values* values_ = nullptr;  // Null: empty, as most are.
};

class Context::Entered {
 public:
  explicit Entered(const Context& context);
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered();

 private:
  Context& place_;
  Context before_;
};

template <class Function>
std::invoke_result_t<Function&> Context::run(Function&& function) const {
  const Entered entered(*this);
  return function();
}

/// Where the current context is kept: the running task's, the running callback's, or this thread's own.
Context& current_context() noexcept;

/// The values that are current now: of the running task or callback, else of this thread.
inline Context copy_context() noexcept { return current_context(); }

/// A task-local variable. Make it static: its address is its identity, and the name is for people.
///
///     static ContextVar<std::string> request("request");
template <class T>
class ContextVar {
 public:
  /// What set() overwrote; for reset().
  class Token {
   private:
    friend class ContextVar;
    std::optional<std::any> before;
  };

  explicit ContextVar(std::string name) : name_(std::move(name)) {}
  ContextVar(std::string name, T fallback) : name_(std::move(name)), fallback_(std::move(fallback)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// The current value, or else the fallback; throws std::out_of_range if there is neither.
  T get() const {
    if (const std::any* const value = current_context().find(this)) return std::any_cast<const T&>(*value);
    if (fallback_) return *fallback_;
    throw std::out_of_range("the context variable " + name_ + " has no value here");
  }
  T get(T otherwise) const {
    const std::any* const value = current_context().find(this);
    return value != nullptr ? std::any_cast<const T&>(*value) : std::move(otherwise);
  }

  /// For the current task from now on, and for tasks that it makes.
  Token set(T value) {
    Token token;
    Context& context = current_context();
    if (const std::any* const before = context.find(this)) token.before = *before;
    context = context.with(this, std::any(std::move(value)));
    return token;
  }
  void reset(Token token) {
    Context& context = current_context();
    context = context.with(this, std::move(token.before));
  }

 private:
  std::string name_;
  std::optional<T> fallback_;
};

}  // namespace gather::async
