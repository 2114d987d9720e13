/// Shared: a value that many have and few change.
#pragma once

#include <memory>
#include <utility>

namespace gather {

/// A T whose copies share one until they are edited; all that were never edited share a default-made one. For
/// what is large and the same for most. A null pointer once it was moved from.
template <class T>
class Shared {
 public:
  Shared() : value_(usual()) {}
  Shared(T value) : value_(std::make_shared<T>(std::move(value))) {}

  const T& operator*() const noexcept { return *value_; }
  const T* operator->() const noexcept { return value_.get(); }

  /// For a change, which no copy sees. Not while another thread copies this one.
  T& edit() {
    if (value_.use_count() > 1) value_ = std::make_shared<T>(*value_);
    return *value_;
  }

  /// Whether both share one, and so are surely the same.
  bool is(const Shared& other) const noexcept { return value_ == other.value_; }

 private:
  static const std::shared_ptr<T>& usual() {
    static const auto one = std::make_shared<T>();
    return one;
  }

  std::shared_ptr<T> value_;
};

}  // namespace gather
