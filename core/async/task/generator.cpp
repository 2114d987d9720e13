#include "core/async/task/generator.hpp"

#include "core/async/loop/loop.hpp"

namespace gather::async {

void GeneratorPromiseBase::check_not_running() const {
  if (running) throw InvalidState("a step of this generator is under way already");
}

void GeneratorPromiseBase::throw_error() {
  if (error) std::rethrow_exception(std::exchange(error, nullptr));
}

std::exception_ptr GeneratorPromiseBase::make_exit() { return std::make_exception_ptr(GeneratorExit{}); }

void GeneratorPromiseBase::finish_close() {
  if (!ended) throw InvalidState("a generator yielded while it was being closed");
  try {
    throw_error();
  } catch (const GeneratorExit&) {
  }
}

void GeneratorPromiseBase::report_left_open() const noexcept {
  Loop* const loop = Loop::running();
  if (loop == nullptr || !loop->debug()) return;
  loop->complain({std::string("the generator ") + where.function_name() +
                      " was destroyed before it had ended; aclose() would have run its cleanup",
                  nullptr, where});
}

}  // namespace gather::async
