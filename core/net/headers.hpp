/// Headers: the fields of a message, in order, found by name whatever its case.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gather::net {

/// Whether two names of headers are the same: case does not matter, and the locale neither.
bool same_name(std::string_view a, std::string_view b) noexcept;

/// Header fields in the order in which they stand in the message; a name may come several times
/// (Set-Cookie). aiohttp's CIMultiDict.
///
/// Looking up is a walk: a message has a few dozen fields at most.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}
  explicit Headers(std::vector<Field> fields) noexcept : fields_(std::move(fields)) {}

  /// The value of the first field of that name. The view is good until the headers change.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// The same, or `otherwise`.
  std::string_view get(std::string_view name, std::string_view otherwise) const noexcept;
  /// The values of all fields of that name, in order.
  std::vector<std::string_view> get_all(std::string_view name) const;
  bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

  /// Adds a field at the end, beside those that have the name already.
  void add(std::string name, std::string value);
  /// The same in place of those that have the name already.
  void set(std::string name, std::string value);
  /// Takes out all fields of that name and says how many there were.
  std::size_t erase(std::string_view name);

  /// Lengthens the value of the last field: a folded line, which HTTP once allowed. No-op without a field.
  void extend_last(std::string_view more);

  bool empty() const noexcept { return fields_.empty(); }
  std::size_t size() const noexcept { return fields_.size(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }
  const std::vector<Field>& fields() const noexcept { return fields_; }

  friend bool operator==(const Headers&, const Headers&) = default;

 private:
  std::vector<Field> fields_;
};

}  // namespace gather::net
