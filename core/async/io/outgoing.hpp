/// A piece of what a connection is to send. Knows no libuv type.
#pragma once

#include <string_view>

namespace gather::async {

class Outbox;

/// Stands in an Outbox, in one place at a time, until gone() is called or it is taken out. Not owned by it.
class Outgoing {
 public:
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

 protected:
  explicit Outgoing(std::string_view bytes) noexcept : rest_(bytes) {}
  ~Outgoing() = default;

  std::string_view rest_;  // What the kernel has not taken.
  bool counted_ = false;   // Towards the size of the box, because the box has copied it.

 private:
  friend class Outbox;

  /// It is out of the box: all of it is with the kernel (0), or the rest never will be (libuv's error). Only
  /// enqueues, or deletes itself.
  virtual void gone(int error) noexcept = 0;

  Outgoing* previous_ = nullptr;
  Outgoing* next_ = nullptr;
};

}  // namespace gather::async
