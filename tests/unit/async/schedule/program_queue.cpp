// The steps of a program that concern the queue and the barrier.
#include "tests/unit/async/schedule/program.hpp"

using namespace gather::async;

namespace gather::test {

Co<> Program::put(Actor self) {
  const int item = next_item_++;
  model_.put(self);
  try {
    co_await queue_.put(item);
  } catch (const Cancelled&) {
    model_.put_interrupted(self);
    throw;
  } catch (const QueueShutDown&) {
    model_.put_refused(self);
    co_return;
  }
  model_.put_done(self, item);
}

Co<> Program::get(Actor self) {
  model_.get(self);
  int item = 0;
  try {
    item = co_await queue_.get();
  } catch (const Cancelled&) {
    model_.get_interrupted(self);
    throw;
  } catch (const QueueShutDown&) {
    model_.get_refused(self);
    co_return;
  }
  model_.got(self, item);
  if (random_.one_in(2)) item_done();
}

void Program::put_now() {
  if (random_.one_in(40)) {
    const bool immediate = random_.one_in(2);
    model_.shut_down(immediate);
    queue_.shutdown(immediate);
    return;
  }
  const int item = next_item_++;
  try {
    queue_.put_nowait(item);
  } catch (const QueueFull&) {
    model_.require(model_.queue.full() && !model_.queue.shut_down, "a put was refused, and there is room");
    return;
  } catch (const QueueShutDown&) {
    model_.require(model_.queue.shut_down, "a put was refused before shutdown");
    return;
  }
  model_.put_now(item);
}

void Program::get_now() {
  int item = 0;
  try {
    item = queue_.get_nowait();
  } catch (const QueueEmpty&) {
    model_.require(model_.queue.available() == 0, "a get was refused, and there is an item");
    if (model_.queue.unfinished > model_.queue.items.size()) item_done();
    return;
  } catch (const QueueShutDown&) {
    model_.require(model_.queue.shut_down && model_.queue.available() == 0, "a get was refused for nothing");
    return;
  }
  model_.got_now(item);
  if (random_.one_in(2)) item_done();
}

void Program::item_done() {
  if (model_.queue.unfinished == 0) return;
  model_.task_done();
  queue_.task_done();
}

Co<> Program::join(Actor self) {
  model_.wait_for(self, model_.queue.finished);
  try {
    co_await queue_.join();
  } catch (const Cancelled&) {
    model_.wait_for_interrupted(self);
    throw;
  }
  model_.waited_for(self);
}

Co<> Program::cross_barrier(Actor self) {
  model_.arrive(self);
  std::size_t index = 0;
  try {
    index = co_await barrier_.wait();
  } catch (const Cancelled&) {
    model_.arrive_interrupted(self);
    throw;
  } catch (const BrokenBarrierError&) {
    model_.found_broken(self);
    co_return;
  }
  model_.passed(self, index);
}

void Program::break_barrier() {
  if (random_.one_in(2)) {
    model_.reset_barrier();
    barrier_.reset();
  } else {
    model_.abort_barrier();
    barrier_.abort();
  }
}

}  // namespace gather::test
