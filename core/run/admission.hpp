/// Who is let in next: the tasks that are ready, in order, and what is free of all that is limited. Knows
/// nothing of what the limits are for; claims.hpp says what each task takes.
#pragma once

#include "core/run/key.hpp"
#include "core/run/record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <utility>
#include <vector>

namespace gather::run {

/// Slots by number, compact: always the lowest free one.
class Slots {
 public:
  int take();
  void give(int slot);

 private:
  int never_used_ = 1;
  std::priority_queue<int, std::vector<int>, std::greater<>> returned_;
};

/// Something of which there is so much: slots, places at a host, units of a pool.
enum class ResourceId : std::uint32_t {};
/// Tasks that need the same.
enum class LineId : std::uint32_t {};

/// So much of a resource, taken when a task is let in and given back when its attempt ends. Who needs more
/// than there is takes it when all of it is free.
struct Need {
  ResourceId resource;
  std::int64_t amount = 1;

  static constexpr std::int64_t everything = std::int64_t{1} << 40;

  friend auto operator<=>(const Need&, const Need&) = default;
};

/// A table of rows, not a queue of coroutines: a task that waits costs one entry of its line's heap.
///
/// A task takes all it needs in one step or nothing, so nothing holds one thing while it waits for another.
/// Tasks that need the same stand in one line, whose first is the only candidate. A line whose first lacks
/// something stands at the gate of that: "at least so much is free of it" or "its time has come". Only lines
/// at gates that are open are looked at. A line that finds a second gate closed moves there, and is not
/// looked at again before that one opens; so letting one in costs the logarithm of the number of lines,
/// however many tasks wait, and a busy host hides nobody else's tasks.
///
/// When next() has found nobody, every line with somebody in it stands at a closed gate: that is what its
/// tasks lack, and the times are kept, by line.
///
/// The first of a line that may be overtaken is *overtaken* when somebody behind it in the order takes of
/// what it then lacks. After longer than its patience what is given back is kept for it, until it has all:
/// of the last of its needs first, and of what is named before that only once it lacks nothing behind it, so
/// that it never holds a slot while it waits for a pool. Of several, who was overtaken first is served first.
///
/// Times count from the start of the run and never go back.
class Admission {
 public:
  /// How long a task may be overtaken; without it, for ever.
  using Patience = std::function<Duration(job::TaskId)>;

  explicit Admission(Patience patience = {}) : patience_(std::move(patience)) {}

  /// `size` is how much there is of it, 1 at least; `lack` is what is said of a task that waits for it. With
  /// an `interval` it is given out that far apart at best, whatever is free.
  ResourceId add_resource(Lack lack, std::size_t size, Duration interval = Duration(0));

  /// Something that others give and take at will; nothing of it is kept for anybody.
  ResourceId add_outside_resource(Lack lack, std::size_t size);

  /// Whether tasks may wait for long though others of what they lack come and go: those that need several of
  /// a thing, or two things that do not come free together.
  enum class Overtaking : std::uint8_t { harmless, starves };

  /// A line for tasks with these needs, the first to be named first where several lack.
  /// Requires: at least one need, no resource twice.
  LineId add_line(std::vector<Need> needs, Overtaking overtaking = Overtaking::harmless);

  struct Admitted {
    job::TaskId id;
    int slot;
  };

  void wait(LineId line, const Key& key, Duration now);

  /// Lets in the first task for which there is all it needs, and takes that; nothing if there is none.
  std::optional<Admitted> next(Duration now);

  /// Whom next() has let in begins only now: the pace of what it took counts from here, so that what is given
  /// out an interval apart is used an interval apart.
  void begun(LineId line, Duration now);

  /// Gives back what next() took for a task of this line.
  void release(LineId line, int slot, Duration now);

  /// The same for a task that may come back: the slot's number stays its own, as if it ran, until it is let
  /// in again or will not come.
  void release_until_retry(LineId line, job::TaskId id, int slot, Duration now);
  void give_up_slot(job::TaskId id);

  /// Takes out everyone who stands in this line, the first first.
  std::vector<Key> take_out(LineId line, Duration now);

  /// Gives nothing more out of this before `until`; never sooner than an earlier call said.
  void close_until(ResourceId resource, Duration until, Duration now);

  /// When somebody who was let in may make one more request: `now` at the earliest, else when its pace and
  /// its rest are over. That counts for its pace.
  Duration take_turn(ResourceId resource, Duration now);

  /// There is so much more of it from now on, or less, and never less than 1: what is out is not taken back,
  /// but only given out again when there is enough.
  void resize(ResourceId resource, std::int64_t change, Duration now);

  /// What was given out of it last was not used, so its pace need not wait for that.
  void unpace(ResourceId resource, Duration now);

  /// What of it is not given out; below 0 after it was resized, or while somebody has all of it.
  std::int64_t free(ResourceId resource) const { return resources_[static_cast<std::size_t>(resource)].free; }
  /// Whether somebody lacks this, and nothing that is named before it. Requires: next() has found nobody.
  bool is_lacked(ResourceId resource, Duration now);

  /// When to ask next() again though nothing has been given back; nothing if there is no such time.
  std::optional<Duration> next_opening() const;

  /// For how long there has been somebody in this line, by what they lacked. What a task lacked is the
  /// difference between two calls: when it was put in, and when it was let in or taken out.
  Lacked lacked(LineId line, Duration now) const;

  /// Forgets everyone who waits.
  void close(Duration now);

 private:
  enum class GateId : std::uint32_t {};
  using Place = std::pair<Key, LineId>;
  struct FirstFirst {
    bool operator()(const auto& a, const auto& b) const { return b.first < a.first; }  // Keys differ: ids do.
  };

  struct Line {
    std::vector<Need> needs;
    std::priority_queue<Key> waiting = {};
    std::optional<GateId> gate = {};  // Where it stands; nowhere if nobody waits.
    Key listed{};                     // As what it stands there.
    Lack lacks = Lack::slot;          // What it lacks there, since `since`.
    Duration since{};
    Lacked lacked{};
    bool has_all_kept = false;  // It was overtaken, and lacks nothing but what comes from outside.
  };
  struct Gate {
    ResourceId resource;
    std::int64_t amount;  // So much must be free; 0 is the resource's clock.
    std::set<Place, FirstFirst> lines = {};
    std::optional<Key> listed = {};              // As what it stands in open_.
    std::optional<Duration> listed_closed = {};  // Likewise in closed_.
  };
  struct Resource {
    Lack lack;
    std::int64_t size;
    std::int64_t free;
    Duration interval;
    bool is_outside = false;
    std::int64_t kept = 0;    // For those who have been overtaken.
    Duration paced_until{};   // The last time it was given out, and the interval.
    Duration closed_until{};  // What close_until() said.
    std::vector<GateId> gates = {};

    Duration opens() const { return std::max(paced_until, closed_until); }
    bool has(std::int64_t amount) const { return free - kept >= std::min(amount, size); }
  };

  Line& at(LineId id) { return lines_[static_cast<std::size_t>(id)]; }
  Gate& at(GateId id) { return gates_[static_cast<std::size_t>(id)]; }
  Resource& at(ResourceId id) { return resources_[static_cast<std::size_t>(id)]; }

  Admitted let_in(LineId id, Duration now);
  void note_overtaken(const Key& by, const Line& line, Duration now);
  std::optional<LineId> keep_for_overtaken(Duration now);
  bool keep_for(LineId id, Duration now, std::vector<std::int64_t>& kept);
  GateId gate_of(ResourceId resource, std::int64_t amount);
  std::optional<GateId> closed_gate(const Line& line, Duration now);
  bool is_open(const Gate& gate, Duration now);
  Lack lack_at(const Gate& gate);
  void place(LineId id, std::optional<GateId> gate, Duration now);
  void list(GateId id, Duration now);
  void list_gates_of(const Line& line, Duration now);
  void clock_changed(ResourceId resource, Duration now);

  std::vector<Resource> resources_;
  std::vector<Line> lines_;
  std::vector<Gate> gates_;
  std::set<std::pair<Key, GateId>, FirstFirst> open_;  // Gates that are open and have lines, by their first.
  decltype(open_)::node_type spare_open_;         // A full gate opens and closes with each end of a task.
  std::set<std::pair<Duration, GateId>> closed_;  // Clocks at which lines stand, by when they open.
  Patience patience_;
  std::vector<LineId> starving_;               // Lines that may be overtaken.
  std::map<job::TaskId, Duration> overtaken_;  // Since when, of those that still wait.
  bool keeps_any_ = false;                     // Some resource has something kept.
  Slots slots_;
  std::map<job::TaskId, int> kept_slots_;        // Numbers of those who will come back.
  decltype(kept_slots_)::node_type spare_kept_;  // Most who have ended are in there for a moment.
};

}  // namespace gather::run
