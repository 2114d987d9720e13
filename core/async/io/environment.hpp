/// The environment of a program to be started.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gather::async {

/// Variables, "NAME=value" each, no name twice: those that many programs have in common, which are not
/// copied, and a program's own. Copying one copies its own and counts a reference.
class Environment {
 public:
  using Variables = std::vector<std::string>;

  Environment() = default;
  Environment(Variables all) noexcept : own_(std::move(all)) {}
  Environment(std::initializer_list<std::string> all) : own_(all) {}
  /// `common` may be null. Requires: no name is in both.
  explicit Environment(std::shared_ptr<const Variables> common, Variables own = {}) noexcept
      : common_(std::move(common)), own_(std::move(own)) {}

  /// In place of another value. A name that is in common makes a copy of all of them.
  void set(std::string_view name, std::string_view value);
  /// The value of `name`, null if it is not there; valid as long as this is not changed.
  const char* find(std::string_view name) const noexcept;

  const std::shared_ptr<const Variables>& common() const noexcept { return common_; }
  const Variables& own() const& noexcept { return own_; }
  Variables own() && noexcept { return std::move(own_); }

  /// Calls `use(variable)` with each.
  template <class Use>
  void for_each(const Use& use) const {
    if (common_)
      for (const std::string& variable : *common_) use(variable);
    for (const std::string& variable : own_) use(variable);
  }

  /// For execve, with the null at the end; valid as long as this is not changed.
  std::vector<char*> pointers() const;

 private:
  std::shared_ptr<const Variables> common_;
  Variables own_;
};

/// For execve, with the null at the end; valid as long as `strings` is not changed.
std::vector<char*> exec_pointers(const std::vector<std::string>& strings);

/// In place of another value.
void set_variable(Environment::Variables& variables, std::string_view name, std::string_view value);
/// The value of `name`, null if it is not there.
const char* find_variable(const Environment::Variables& variables, std::string_view name) noexcept;

}  // namespace gather::async
