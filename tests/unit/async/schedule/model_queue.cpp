// The queue's and the barrier's part of the model.
#include "tests/unit/async/schedule/model.hpp"

namespace gather::test {

void Model::wake_getter() {
  if (queue.available() == 0 || queue.getters.empty()) return;
  ++queue.promised_items;
  promise(queue.getters);
}

void Model::wake_putter() {
  if (queue.full() || queue.putters.empty()) return;
  ++queue.promised_room;
  promise(queue.putters);
}

void Model::store(int item) {
  require(!queue.shut_down, "an item was put after shutdown");
  require(!queue.full(), "an item was put where there was no room");
  queue.items.push_back(item);
  ++queue.unfinished;
  clear(queue.finished);
  wake_getter();
}

void Model::take(int item) {
  require(queue.available() > 0, "an item was got that is another one's");
  require(queue.items.front() == item, "an item was lost, doubled, or overtaken");
  queue.items.pop_front();
  wake_putter();
}

void Model::put(Actor actor) {
  tell(actor, "puts");
  arrive_at(actor, queue.putters, !queue.full() || queue.shut_down);
}

void Model::put_done(Actor actor, int item) {
  tell(actor, "has put");
  const bool had_promise = actors_[actor].place == Place::promised;
  went_well(actor);
  if (had_promise) --queue.promised_room;
  store(item);
}

void Model::put_interrupted(Actor actor) {
  tell(actor, "has put nothing: cancelled");
  if (!interrupted(actor)) return;
  --queue.promised_room;
  wake_putter();
}

void Model::put_refused(Actor actor) {
  tell(actor, "has put nothing: shut down");
  const bool had_promise = actors_[actor].place == Place::promised;
  went_well(actor);
  require(queue.shut_down, "a put was refused before shutdown");
  if (had_promise) --queue.promised_room;
}

void Model::get(Actor actor) {
  tell(actor, "gets");
  arrive_at(actor, queue.getters, queue.available() > 0 || queue.shut_down);
}

void Model::got(Actor actor, int item) {
  tell(actor, "has got");
  const bool had_promise = actors_[actor].place == Place::promised;
  went_well(actor);
  if (had_promise) --queue.promised_items;
  take(item);
}

void Model::get_interrupted(Actor actor) {
  tell(actor, "has got nothing: cancelled");
  if (!interrupted(actor) || queue.promised_items == 0) return;
  --queue.promised_items;
  wake_getter();
}

void Model::get_refused(Actor actor) {
  tell(actor, "has got nothing: shut down");
  const bool had_promise = actors_[actor].place == Place::promised;
  went_well(actor);
  require(queue.shut_down, "a get was refused before shutdown");
  if (had_promise && queue.promised_items > 0) --queue.promised_items;
  require(queue.available() == 0, "a get was refused, and there is an item");
}

void Model::put_now(int item) {
  tell("an item is put at once");
  store(item);
}

void Model::got_now(int item) {
  tell("an item is got at once");
  take(item);
}

void Model::task_done() {
  tell("an item is done");
  if (--queue.unfinished == 0) set(queue.finished);
}

void Model::shut_down(bool immediate) {
  tell(immediate ? "the queue is shut down at once" : "the queue is shut down");
  queue.shut_down = true;
  for (Line* const line : {&queue.getters, &queue.putters}) {
    for (const Actor actor : *line) actors_[actor].place = Place::told;
    line->clear();
  }
  if (!immediate) return;
  queue.unfinished -= queue.items.size();
  queue.items.clear();
  queue.promised_items = 0;  // Promises that can't be kept.
  if (queue.unfinished == 0) set(queue.finished);
}

void Model::arrive(Actor actor) {
  tell(actor, "comes to the barrier");
  const bool last = barrier.leaving == 0 && barrier.waiters.size() + 1 >= barrier.parties;
  arrive_at(actor, barrier.waiters, last || barrier.broken);
  if (!last || barrier.broken) return;
  actors_[actor].index = barrier.parties - 1;
  let_go(barrier.waiters.size());
}

void Model::passed(Actor actor, std::size_t index) {
  tell(actor, "passes the barrier");
  const bool leaves = actors_[actor].place == Place::promised;
  went_well(actor);
  require(!leaves || !barrier.leavers_broken, "a task passed a broken barrier");
  require(index == actors_[actor].index, "a wrong index at the barrier");
  if (leaves) left();
}

void Model::arrive_interrupted(Actor actor) {
  tell(actor, "leaves the barrier: cancelled");
  if (interrupted(actor)) left();
}

void Model::found_broken(Actor actor) {
  tell(actor, "finds the barrier broken");
  const bool leaves = actors_[actor].place == Place::promised;
  went_well(actor);
  require(leaves ? barrier.leavers_broken : barrier.broken, "the barrier is not broken");
  if (leaves) left();
}

void Model::let_go(std::size_t count) {
  barrier.leaving += count;
  for (std::size_t i = 0; i < count; ++i) {
    actors_[barrier.waiters.front()].index = i;
    promise(barrier.waiters);
  }
}

void Model::left() {
  if (--barrier.leaving > 0) return;
  barrier.leavers_broken = false;
  if (barrier.waiters.size() >= barrier.parties) let_go(barrier.parties);
}

void Model::reset_barrier() {
  tell("the barrier is reset");
  barrier.broken = false;
  if (barrier.leaving == 0) let_go(barrier.waiters.size());
  barrier.leavers_broken = barrier.leaving > 0;
}

void Model::abort_barrier() {
  tell("the barrier is aborted");
  barrier.broken = true;
  let_go(barrier.waiters.size());
  barrier.leavers_broken = barrier.leaving > 0;
}

}  // namespace gather::test
