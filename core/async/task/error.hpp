/// What can leave a coroutine besides its own errors: Cancelled, TimeoutError, ErrorGroup, InvalidState.
#pragma once

#include <exception>
#include <expected>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gather::async {

/// Thrown at the await where a task is suspended when it is cancelled; may be caught, and then must be thrown
/// on unless the task means to go on living.
///
/// Not a std::exception, so that `catch (const std::exception&)` can't swallow a cancel by accident.
struct Cancelled final {};

/// A timeout's own time was up, and what ran inside it has finished cleaning up.
class TimeoutError : public std::runtime_error {
 public:
  TimeoutError() : std::runtime_error("timed out") {}
};

/// Something was asked for what it can't give in the state it is in: a future for a second result, a task for
/// a result that is not there yet, a lock that is not held to be released.
class InvalidState : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Nothing can ever happen again, yet the main coroutine waits. Only a virtual loop can tell.
class Deadlock : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// What the tasks of a group failed with, in the order in which they did; never empty.
class ErrorGroup : public std::exception {
 public:
  struct Member {
    std::string task;  ///< Name of the task, or "body" for the group's body.
    std::exception_ptr error;
  };

  explicit ErrorGroup(std::vector<Member> members);

  const std::vector<Member>& members() const noexcept { return members_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::vector<Member> members_;
  std::string what_;
};

/// A value, or what was thrown instead of it. A cancelled task's error holds a Cancelled.
template <class T>
using Result = std::expected<T, std::exception_ptr>;

/// Requires: `error` is not null.
bool is_cancelled(const std::exception_ptr& error);

/// The text of whatever was thrown: what(), "cancelled", or "unknown exception".
std::string describe(const std::exception_ptr& error);

}  // namespace gather::async
