/// Calls that block, off the loop's thread: asyncio's to_thread and run_in_executor.
#pragma once

#include "core/async/loop/running.hpp"
#include "core/async/task/context.hpp"
#include "core/async/thread/pool.hpp"
#include "core/async/thread/threads.hpp"

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gather::async {

namespace detail {

template <class F, class... A>
struct ThreadResultOf : std::invoke_result<F, A...> {};
template <class F, class... A>
  requires std::invocable<F, std::stop_token, A...>
struct ThreadResultOf<F, A...> : std::invoke_result<F, std::stop_token, A...> {};

}  // namespace detail

/// What `F` gives for `A…`, or for a stop token and `A…` if it takes one; decayed.
template <class F, class... A>
using ThreadResult = std::decay_t<typename detail::ThreadResultOf<F, A...>::type>;

/// A ThreadCall that knows its function.
template <class F, class... A>
class TypedThreadCall final : public ThreadCall {
 public:
  using Result = ThreadResult<F, A...>;

  TypedThreadCall(const Future<Result>& future, Context context, F function, A... arguments)
      : ThreadCall(future.cell()),
        work_(std::in_place, std::move(context), stop_token_if_taken(), std::move(function),
              std::move(arguments)...) {}

 private:
  static constexpr bool takes_token = std::invocable<F, std::stop_token, A...>;
  using Token = std::conditional_t<takes_token, std::stop_token, Nothing>;

  struct Work {
    Work(Context its_context, Token its_token, F its_function, A... its_arguments)
        : context(std::move(its_context)),
          token(std::move(its_token)),
          function(std::move(its_function)),
          arguments(std::move(its_arguments)...) {}

    decltype(auto) operator()() {
      return std::apply(
          [this](A&... each) -> decltype(auto) {
            if constexpr (takes_token)
              return std::invoke(std::move(function), std::move(token), std::move(each)...);
            else
              return std::invoke(std::move(function), std::move(each)...);
          },
          arguments);
    }

    Context context;
    [[no_unique_address]] Token token;
    F function;
    std::tuple<A...> arguments;
  };

  Token stop_token_if_taken() {
    if constexpr (takes_token)
      return stop_token();
    else
      return {};
  }

  void call() noexcept override {
    try {
      work_->context.run([this] {
        if constexpr (std::is_void_v<Result>)
          (*work_)(), value_.emplace();
        else
          value_.emplace((*work_)());
      });
    } catch (...) {
      error_ = std::current_exception();
    }
    work_.reset();
  }

  void settle(Cell& cell) override {
    auto& future = static_cast<FutureCell<Result>&>(cell);
    if (error_)
      future.set_error(std::move(error_));
    else
      future.set_value(std::move(*value_));
  }

  std::optional<Work> work_;
  std::optional<Stored<Result>> value_;
  std::exception_ptr error_;
};

/// The running loop's own pool, which to_thread and files use; made with the first call. It ends with the
/// loop, which waits for every job that was begun. Throws InvalidState where no loop runs, on a virtual one,
/// and after shutdown_default_executor.
Pool& default_pool();

/// Calls `function(arguments…)` on a thread of `pool` and gives what it returns or throws, as a future of the
/// running loop. Function and arguments are moved into the call, and destroyed on that thread before the
/// future is settled.
///
/// Cancelling the future, or a task that awaits it, abandons the call: who waits is told at once, a call that
/// no thread has begun never runs, and one that was begun runs on, its outcome dropped. If `function` takes a
/// std::stop_token as its first parameter, it gets one and is asked to stop. A loop that closes abandons its
/// calls likewise; `pool` may outlive it.
///
/// Throws InvalidState if no loop is running on this thread or the pool was shut down, std::system_error if
/// no thread can be started.
template <class F, class... A>
  requires(std::invocable<F, A...> || std::invocable<F, std::stop_token, A...>)
Future<ThreadResult<F, A...>> run_in_executor(Pool& pool, F function, A... arguments) {
  auto future = create_future<ThreadResult<F, A...>>();
  ThreadCall::start(std::make_unique<TypedThreadCall<F, A...>>(future, Context(), std::move(function),
                                                               std::move(arguments)...),
                    pool);
  return future;
}

/// The same on the default pool, once it is awaited, and with the caller's task-local values.
///
///     const std::string page = co_await to_thread(read_slowly, path);
template <class F, class... A>
  requires(std::invocable<F, A...> || std::invocable<F, std::stop_token, A...>)
Co<ThreadResult<F, A...>> to_thread(F function, A... arguments) {
  Pool& pool = default_pool();
  auto future = create_future<ThreadResult<F, A...>>();
  ThreadCall::start(std::make_unique<TypedThreadCall<F, A...>>(future, copy_context(), std::move(function),
                                                               std::move(arguments)...),
                    pool);
  co_return co_await std::move(future);
}

/// From now on the loop's default pool takes no jobs; resumes once the last one has ended, or when `timeout`
/// has passed, which is reported to the loop's exception handler. asyncio's loop.shutdown_default_executor.
///
/// Not needed as a rule: a loop that closes waits for its pool anyway, however long that takes (ours: Python
/// leaves threads behind here, and waits for them at the interpreter's exit).
Co<> shutdown_default_executor(std::optional<Duration> timeout = {});

}  // namespace gather::async
