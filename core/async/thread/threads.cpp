#include "core/async/thread/threads.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/error.hpp"

#include <utility>

namespace gather::async {

void LoopGate::post(std::move_only_function<void()> callback) {
  const std::lock_guard lock(mutex_);
  if (loop_ != nullptr) loop_->post(std::move(callback));
}

void LoopGate::close() noexcept {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

Threads::Threads(Loop& loop) : gate_(std::make_shared<LoopGate>(loop)) {
  if (loop.poller().is_virtual()) throw InvalidState("a virtual loop can't wait for threads");
}

void Threads::close() noexcept {
  // While the gate is open every call of the list is alive: it can only have been sent to us, not be gone.
  while (first_ != nullptr) {
    ThreadCall& call = *first_;
    call.delist();
    if (call.future_ && !call.future_->done()) call.future_->remove_hook(call);
    call.future_ = {};
    call.stop_.request_stop();
    if (call.withdraw()) delete &call;
  }
  pool_.reset();  // With the gate open: what its jobs send is dropped by the loop, on this thread.
  gate_->close();
}

Pool& Threads::default_pool() {
  if (shut_down_) throw InvalidState("the loop's thread pool was shut down");
  if (!pool_) pool_.emplace();
  return *pool_;
}

Pool* Threads::shut_down() noexcept {
  shut_down_ = true;
  return pool_ ? &*pool_ : nullptr;
}

Threads& threads_of(Loop& loop) { return *loop.service<Threads>(); }

ThreadCall::ThreadCall(Cell& future)
    : threads_(threads_of(future.loop())), future_(future), gate_(threads_.gate()) {}

void ThreadCall::start(std::unique_ptr<ThreadCall> call, Pool& pool) {
  call->future_->add_hook(*call);
  call->enlist();
  try {
    pool.submit(*call);
  } catch (...) {
    call->delist();
    call->future_->remove_hook(*call);
    throw;
  }
  call.release();
}

void ThreadCall::run() noexcept {
  call();
  const auto gate = gate_;  // Whoever gets the message may destroy this before post() returns.
  gate->post([self = std::unique_ptr<ThreadCall>(this)] { self->arrive(); });
}

void ThreadCall::arrive() {
  delist();
  if (!future_) return;
  future_->remove_hook(*this);
  settle(*future_);
}

// The future is cancelled. Its last reference, what the function holds, and callbacks of the stop token are
// the user's affair, and so have to wait for the next pass.
void ThreadCall::on_done(Cell& future) noexcept {
  std::unique_ptr<ThreadCall> never_run;
  if (withdraw()) {
    delist();
    never_run.reset(this);
  }
  future.loop().call_soon([future = std::exchange(future_, {}), stop = stop_,
                           never_run = std::move(never_run)]() mutable { stop.request_stop(); });
}

void ThreadCall::enlist() noexcept {
  next_ = std::exchange(threads_.first_, this);
  if (next_ != nullptr) next_->previous_ = this;
}

void ThreadCall::delist() noexcept {
  (previous_ != nullptr ? previous_->next_ : threads_.first_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
}

}  // namespace gather::async
