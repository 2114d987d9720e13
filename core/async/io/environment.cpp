#include "core/async/io/environment.hpp"

#include <algorithm>

namespace gather::async {
namespace {

bool has_name(const std::string& variable, std::string_view name) noexcept {
  return variable.size() > name.size() && variable[name.size()] == '=' && variable.starts_with(name);
}

}  // namespace

std::vector<char*> exec_pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

const char* find_variable(const Environment::Variables& variables, std::string_view name) noexcept {
  for (const std::string& variable : variables)
    if (has_name(variable, name)) return variable.c_str() + name.size() + 1;
  return nullptr;
}

void set_variable(Environment::Variables& variables, std::string_view name, std::string_view value) {
  std::string variable;
  variable.reserve(name.size() + 1 + value.size());
  variable.append(name).append(1, '=').append(value);
  const auto place =
      std::ranges::find_if(variables, [name](const std::string& other) { return has_name(other, name); });
  if (place == variables.end())
    variables.push_back(std::move(variable));
  else
    *place = std::move(variable);
}

void Environment::set(std::string_view name, std::string_view value) {
  if (common_ && find_variable(*common_, name) != nullptr) {
    own_.insert(own_.begin(), common_->begin(), common_->end());
    common_ = nullptr;
  }
  set_variable(own_, name, value);
}

const char* Environment::find(std::string_view name) const noexcept {
  const char* const own = find_variable(own_, name);
  return own != nullptr || !common_ ? own : find_variable(*common_, name);
}

std::vector<char*> Environment::pointers() const {
  std::vector<char*> result;
  result.reserve((common_ ? common_->size() : 0) + own_.size() + 1);
  for_each([&result](const std::string& variable) { result.push_back(const_cast<char*>(variable.c_str())); });
  result.push_back(nullptr);
  return result;
}

}  // namespace gather::async
