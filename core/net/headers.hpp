/// Headers: the fields of a message, in order, found by name whatever its case.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
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
/// Looking up is a walk: a message has a few dozen fields at most. All of them stand in one text, so a head
/// of an answer costs two allocations, not two for each field.
class Headers {
  struct Place;

 public:
  /// A name and its value; good until the headers change.
  using Field = std::pair<std::string_view, std::string_view>;

  Headers() = default;
  Headers(std::initializer_list<Field> fields);

  /// The value of the first field of that name. The view is good until the headers change.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// The same, or `otherwise`.
  std::string_view get(std::string_view name, std::string_view otherwise) const noexcept;
  /// The values of all fields of that name, in order.
  std::vector<std::string_view> get_all(std::string_view name) const;
  bool contains(std::string_view name) const noexcept { return get(name).has_value(); }

  /// Adds a field at the end, beside those that have the name already.
  void add(std::string_view name, std::string_view value);
  /// The same in place of those that have the name already.
  void set(std::string_view name, std::string_view value);
  /// Takes out all fields of that name and says how many there were.
  std::size_t erase(std::string_view name);

  /// Lengthens the value of the last field: a folded line, which HTTP once allowed. No-op without a field.
  void extend_last(std::string_view more);

  bool empty() const noexcept { return places_.empty(); }
  std::size_t size() const noexcept { return places_.size(); }

  /// Goes over the fields; what it points to is made as it is asked for.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Field;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Field;

    Iterator() = default;
    Field operator*() const noexcept { return headers_->at(*place_); }
    Iterator& operator++() noexcept {
      ++place_;
      return *this;
    }
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++place_;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.place_ == b.place_; }

   private:
    friend class Headers;
    Iterator(const Headers& headers, const Place* place) noexcept : headers_(&headers), place_(place) {}
    const Headers* headers_ = nullptr;
    const Place* place_ = nullptr;
  };
  Iterator begin() const noexcept { return {*this, places_.data()}; }
  Iterator end() const noexcept { return {*this, places_.data() + places_.size()}; }

  friend bool operator==(const Headers& a, const Headers& b) noexcept;

 private:
  /// Where a field stands in the text: its name, and the value behind that.
  struct Place {
    std::size_t begin;
    std::size_t name_size;
    std::size_t value_size;
  };
  Field at(const Place& place) const noexcept {
    const char* const name = text_.data() + place.begin;
    return {{name, place.name_size}, {name + place.name_size, place.value_size}};
  }

  Headers without(std::string_view name) const;

  std::string text_;
  std::vector<Place> places_;
};

}  // namespace gather::net
