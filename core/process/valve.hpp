/// Holds children back while whoever is given their output can't keep up.
#pragma once

#include <string_view>
#include <vector>

namespace gather::process {

/// Is given what a child writes to one stream, as it comes.
class Listener {
 public:
  virtual void wrote(std::string_view piece) noexcept = 0;

 protected:
  ~Listener() = default;
};

/// Open or closed for any number of captures: one that has something to read while it is closed reads nothing
/// until it opens, so that its child waits once the pipe is full.
class Valve {
 public:
  class Held {
   public:
    virtual void go_on() noexcept = 0;

   protected:
    ~Held() = default;
  };

  bool is_open() const noexcept { return open_; }
  void close() noexcept { open_ = false; }
  /// Lets everybody go on that is held.
  void open() noexcept {
    open_ = true;
    while (!held_.empty()) {  // Each may be the last to need another.
      Held* const next = held_.back();
      held_.pop_back();
      next->go_on();
    }
  }

  void hold(Held& held) { held_.push_back(&held); }
  void forget(Held& held) noexcept { std::erase(held_, &held); }

 private:
  bool open_ = true;
  std::vector<Held*> held_;
};

}  // namespace gather::process
