/// Cell: what ends once and can be waited for by many; the common part of tasks and futures. Users hold it
/// through the counted handles of awaitable.hpp.
#pragma once

#include "core/async/loop/ready.hpp"
#include "core/async/task/context.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace gather::async {

class Cell;
class Loop;

/// Hears of the end of one cell, at once and inside it: for this library's own awaitables, which only
/// enqueue. Whoever owns it takes it out again if it dies before the cell ends. Users have add_done_callback.
class DoneHook {
 public:
  DoneHook() = default;
  DoneHook(const DoneHook&) = delete;
  DoneHook& operator=(const DoneHook&) = delete;

 protected:
  ~DoneHook() = default;

 private:
  friend class Cell;
  virtual void on_done(Cell& cell) noexcept = 0;
  DoneHook* next_ = nullptr;
};

/// Names a done-callback, to take it out again.
enum class CallbackId : std::uint64_t {};

/// How something ended or that it has not, and who wants to hear of it. Counted, and touched by the loop's
/// thread alone. Its loop must outlive it.
///
/// It is Ready for the sake of tasks, of which there are many: a base of their own would cost each 8 bytes.
class Cell : public Ready {
 public:
  enum class State : std::uint8_t { pending, finished, failed, cancelled };
  using Callback = std::move_only_function<void(Cell*)>;

  Loop& loop() const noexcept { return loop_; }
  State state() const noexcept { return state_; }
  bool done() const noexcept { return state_ != State::pending; }

  /// Asks for its end as cancelled; false, and nothing happens, once it is done.
  virtual bool cancel() noexcept = 0;

  /// Where the value is, once the state is `finished`: an optional of the type that the handle knows.
  virtual void* value() noexcept = 0;

  /// Null unless failed or cancelled. Reading it counts as having retrieved the error.
  std::exception_ptr error() noexcept {
    error_retrieved_ = true;
    return error_;
  }
  /// Whatever it will fail with counts as retrieved.
  void mute() noexcept { error_retrieved_ = true; }

  /// Calls `callback` in a later pass, once it is done, in the order of registration and in the context of
  /// the caller. Never inside this call, also if it is done already.
  CallbackId add_done_callback(Callback callback);
  /// False if it was not there any more.
  bool remove_done_callback(CallbackId id);

  /// Requires: not done; a hook hangs on one cell at a time. Hooks are called in order.
  void add_hook(DoneHook& hook) noexcept;
  void remove_hook(DoneHook& hook) noexcept;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete this;
  }

 protected:
  explicit Cell(Loop& loop) noexcept : loop_(loop) {}
  void run() override {}  // Only tasks are ever queued.
  /// Reports an error that nobody has retrieved.
  virtual ~Cell() = default;
  void report_unretrieved() noexcept;

  /// Ends it: tells the hooks, schedules the callbacks. Requires: pending. What is registered from within
  /// comes too late and asserts.
  void end(State state, std::exception_ptr error) noexcept;

  /// What few cells have.
  struct Extras {
    struct DoneCallback {
      CallbackId id;
      Callback callback;
      Context context;
    };

    std::string name;
    std::source_location created_at;  // Known in debug mode alone.
    std::vector<DoneCallback> callbacks;
  };
  Extras& extras();
  const Extras* extras_if_any() const noexcept { return extras_.get(); }

 private:
  Loop& loop_;
  DoneHook* first_hook_ = nullptr;
  std::exception_ptr error_;
  std::unique_ptr<Extras> extras_;
  std::uint32_t references_ = 1;
  State state_ = State::pending;
  bool error_retrieved_ = false;
};

/// A counted reference to a cell. Null when default-constructed or moved from.
template <class C>
class CellRef {
 public:
  CellRef() = default;
  explicit CellRef(C& cell) noexcept : cell_(&cell) { cell.retain(); }
  CellRef(const CellRef& other) noexcept : cell_(other.cell_) {
    if (cell_ != nullptr) cell_->retain();
  }
  CellRef(CellRef&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  CellRef& operator=(CellRef other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~CellRef() {
    if (cell_ != nullptr) cell_->release();
  }

  /// Takes over a reference that was counted already.
  static CellRef adopt(C& cell) noexcept {
    CellRef reference;
    reference.cell_ = &cell;
    return reference;
  }

  C* get() const noexcept { return cell_; }
  C& operator*() const noexcept { return *cell_; }
  C* operator->() const noexcept { return cell_; }
  explicit operator bool() const noexcept { return cell_ != nullptr; }
  friend bool operator==(const CellRef&, const CellRef&) = default;

 private:
  C* cell_ = nullptr;
};

}  // namespace gather::async
