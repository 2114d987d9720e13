#include "core/async/task/error.hpp"

#include <fmt/format.h>

#include <typeinfo>

namespace gather::async {

ErrorGroup::ErrorGroup(std::vector<Member> members) : members_(std::move(members)) {
  what_ = members_.size() == 1 ? "a task of a group failed"
                               : fmt::format("{} tasks of a group failed", members_.size());
  for (const Member& member : members_) what_ += fmt::format("; {}: {}", member.task, describe(member.error));
}

bool is_cancelled(const std::exception_ptr& error) {
#ifdef __GLIBCXX__
  return *error.__cxa_exception_type() == typeid(Cancelled);  // A throw would double the cost of a cancel.
#else
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
#endif
}

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return "cancelled";
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace gather::async
