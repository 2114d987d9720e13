/// Reads what a child writes to one pipe, as it comes, into a Spool.
#pragma once

#include "core/async/io/start_error.hpp"
#include "core/async/loop/watch.hpp"
#include "core/process/bell.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/pipe_stock.hpp"
#include "core/process/spool.hpp"
#include "core/process/valve.hpp"

#include <expected>

namespace gather::process {

/// The reading end of one pipe, drained by the loop from start() until every writer has closed its end. It
/// takes one pipe full (64 KB) per pass, so that no child keeps the loop for itself; a child that writes
/// faster than that blocks meanwhile, as it should. With a listener it is four times as much.
class Capture final : async::FdWatch, Valve::Held {
 public:
  /// `spool` must outlive it.
  explicit Capture(Spool& spool) noexcept : spool_(spool) {}
  ~Capture() { close(); }

  /// Takes a pipe and returns its writing end, which is for the child alone.
  std::expected<Descriptor, async::StartError> open(PipeStock& pipes);

  /// Begins to read. Requires: opened. Where the kernel has no watch left it takes what has come, and nothing
  /// more.
  void start(async::Loop& loop) noexcept;

  /// Instead of start(), or before it: takes what has come, and whether that was all to the end.
  bool read_to_end();

  /// Before open(): `listener` is given what comes, too, and `valve` may hold it back. Both outlive it.
  void pass_to(Listener& listener, Valve& valve) noexcept {
    listener_ = &listener;
    valve_ = &valve;
  }

  /// Whether it is held back. The bell rings when it goes on.
  bool held() const noexcept { return held_; }

  /// Whether the last writer has closed its end and everything is in the spool, or close() was called.
  bool ended() const noexcept { return !pipe_; }

  /// Rings `bell` when it ends; before that nobody is told.
  void ring_at_end(Bell& bell) noexcept { bell_ = &bell; }

  /// Takes what is in the pipe now, and closes it whoever may still hold the other end.
  void drain_and_close();
  void close() noexcept;

 private:
  enum class Took : std::uint8_t { some, full, nothing, end };  // full: as much as there was room for.
  Took take();
  void on_events(async::Events events) noexcept override;
  bool may_take() const noexcept { return valve_ == nullptr || valve_->is_open(); }
  void go_on() noexcept override;
  void end() noexcept;

  Spool& spool_;
  Descriptor pipe_;
  Bell* bell_ = nullptr;
  async::Loop* loop_ = nullptr;
  Listener* listener_ = nullptr;
  Valve* valve_ = nullptr;
  bool held_ = false;
};

}  // namespace gather::process
