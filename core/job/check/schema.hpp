/// Reading checked values out of a document by tables of keys. Knows how a value is read and how a mistake is
/// told, not what the keys of a job mean.
#pragma once

#include "core/base/duration.hpp"
#include "core/job/document/document.hpp"
#include "core/job/document/problem.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::job {

class Reader;

/// One key that a mapping may have, read into a T.
template <class T>
struct Key {
  std::string_view name;
  /// Reads the member into `T`, or finds what is wrong with it and leaves `T` as it was. None: the key is
  /// part of the contract but not built yet, and is refused saying so.
  void (*read)(Reader&, Member, T&) = nullptr;
  bool offered = true;  ///< False for a key that is only known to be refused in better words.
};

/// Reads values, and tells `findings` about those that are not what is wanted; then the answer is empty.
class Reader {
 public:
  explicit Reader(Findings& findings) : findings_(findings) {}

  Findings& findings() { return findings_; }
  void error(Value at, std::string message, std::string hint = {}) {
    findings_.error(at.extent(), std::move(message), std::move(hint));
  }
  /// The same where the line holds a secret, and is not shown.
  void secret_error(Value at, std::string message, std::string hint = {}) {
    findings_.secret_error(at.extent(), std::move(message), std::move(hint));
  }

  /// Text: quoted, or plain as its source has it. In JSON a number is text, true, false and null are not.
  /// Warns of plain text that other readers of YAML take for something else.
  std::optional<std::string_view> text(Value value);

  /// A scalar of any kind, for values with rules of their own. `wanted` is what to name: "a duration".
  std::optional<std::string_view> scalar(Value value, std::string_view wanted);

  std::optional<Duration> duration(Value value);
  /// As duration, but 0 is refused.
  std::optional<Duration> positive_duration(Value value);
  std::optional<int> whole(Value value, int least, int most);
  std::optional<bool> boolean(Value value);

  /// The place of a word among `words`, which are then named if it is none of them.
  std::optional<std::size_t> word(Value value, std::span<const std::string_view> words);

  /// One scalar, or a list of them without holes, as values.
  std::vector<Value> one_or_more(Value value, std::string_view wanted);

  /// While it lives, what is known only when other tasks have run (Value::late) is left unread and is no
  /// fault, if `allowed`.
  class LateValues {
   public:
    explicit LateValues(Reader& reader, bool allowed = true)
        : reader_(reader), before_(std::exchange(reader.late_allowed_, allowed)) {}
    LateValues(const LateValues&) = delete;
    LateValues& operator=(const LateValues&) = delete;
    ~LateValues() { reader_.late_allowed_ = before_; }

   private:
    Reader& reader_;
    bool before_;
  };
  /// Whether something was left unread since forget_late().
  bool met_late() const { return met_late_; }
  void forget_late() { met_late_ = false; }

  /// False if something in `value` is late; where that is not allowed it is found.
  bool known(Value value);

  /// True if it is one; `hint` may show what one looks like.
  bool is_map(Value value, std::string_view hint = {});
  bool is_list(Value value, std::string_view hint = {});

  /// "expected `wanted`, found …".
  void expected(Value value, std::string_view wanted, std::string hint = {});

  /// False, and found, if the key has no value (`timeout:` and then nothing).
  bool has_value(Member member, std::string_view hint = "write one, or remove the key");

  /// Reads each member of `map` by its row in `table`.
  template <class T>
  void keys(Value map, std::type_identity_t<std::span<const Key<T>>> table, T& into) {
    for (const Member member : Members(map)) {
      const auto row = std::ranges::find(table, member.key.text(), &Key<T>::name);
      if (row == table.end())
        unknown(member.key, names_of<T>(table));
      else if (row->read == nullptr)
        error(member.key, code(row->name) + " is not supported yet",
              "remove it: a later gather will know it");
      else if (has_value(member))
        row->read(*this, member, into);
    }
  }

 private:
  template <class T>
  static std::vector<std::string_view> names_of(std::span<const Key<T>> table) {
    std::vector<std::string_view> names;
    for (const Key<T>& key : table)
      if (key.read != nullptr && key.offered) names.push_back(key.name);
    return names;
  }

  void unknown(Value key, std::span<const std::string_view> names);
  void late(Value value);

  Findings& findings_;
  bool late_allowed_ = false;
  bool met_late_ = false;
};

/// Whether something in `value` is known only later.
bool holds_late(Value value);

inline constexpr std::string_view for_empty_text = "write \"\" for an empty text";

/// "`a`, `b`, `c`".
std::string listed(std::span<const std::string_view> words);

/// "did you mean `x`?" for the candidate nearest to `word`; empty if none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace gather::job
