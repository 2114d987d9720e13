#include "core/async/combine/as_completed.hpp"

#include "core/async/sync/event.hpp"
#include "core/async/task/error.hpp"

namespace gather::async {

struct Completions::State final : private Timer {
  State(std::vector<Cell*> its_cells, std::optional<Duration> timeout)
      : cells(std::move(its_cells)), hooks(std::make_unique<Hook[]>(cells.size())) {
    order.reserve(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      hooks[i].state = this;
      if (cells[i]->done())
        ended(hooks[i]);
      else
        cells[i]->add_hook(hooks[i]);
    }
    if (!timeout || order.size() == cells.size()) return;
    loop = &cells.front()->loop();
    loop->arm(*this, loop->now() + *timeout);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { detach(); }

  struct Hook final : DoneHook {
    void on_done(Cell&) noexcept override { state->ended(*this); }
    State* state = nullptr;
  };

  void ended(const Hook& hook) noexcept {
    order.push_back(static_cast<std::size_t>(&hook - hooks.get()));
    if (order.size() == cells.size()) detach();
    changed.set();
  }
  void on_time() noexcept override {
    loop = nullptr;
    timed_out = true;
    detach();  // What ends from now on ends too late.
    changed.set();
  }
  void detach() noexcept {
    for (std::size_t i = 0; i < cells.size(); ++i)
      if (!cells[i]->done()) cells[i]->remove_hook(hooks[i]);
    if (loop != nullptr) std::exchange(loop, nullptr)->disarm(*this);
  }

  std::vector<Cell*> cells;
  std::unique_ptr<Hook[]> hooks;
  std::vector<std::size_t> order;  // Of those that have ended.
  std::size_t taken = 0;           // Of `order`, and with the timeouts told.
  Event changed;
  Loop* loop = nullptr;  // While the timer is armed.
  bool timed_out = false;
};

Completions::Completions(std::vector<Cell*> cells, std::optional<Duration> timeout)
    : state_(std::make_unique<State>(std::move(cells), timeout)) {}
Completions::Completions(Completions&&) noexcept = default;
Completions::~Completions() = default;

Co<std::optional<std::size_t>> Completions::next() {
  State& state = *state_;
  for (;;) {
    if (state.taken == state.cells.size()) co_return std::nullopt;
    if (state.taken < state.order.size()) co_return state.order[state.taken++];
    if (state.timed_out) {
      ++state.taken;
      throw TimeoutError();
    }
    state.changed.clear();
    co_await state.changed.wait();
  }
}

}  // namespace gather::async
