#include "core/run/admission.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace gather::run;
using gather::Duration;
using gather::job::TaskId;
using namespace std::chrono_literals;

namespace {

/// Who may start at once, in order.
std::vector<TaskId> all_admitted(Admission& admission, Duration now = 0ns) {
  std::vector<TaskId> order;
  while (const auto admitted = admission.next(now)) order.push_back(admitted->id);
  return order;
}

/// Behind every key of a lower number.
Key key(std::size_t id) { return {0, 0, TaskId(id)}; }

}  // namespace

TEST_CASE("slot numbers are compact: always the lowest free one", "[run][admission]") {
  Slots slots;
  CHECK(slots.take() == 1);
  CHECK(slots.take() == 2);
  CHECK(slots.take() == 3);
  slots.give(2);
  slots.give(1);
  CHECK(slots.take() == 1);
  CHECK(slots.take() == 2);
  CHECK(slots.take() == 4);
}

TEST_CASE("whatever they need, tasks are let in by priority, rank, then file order", "[run][admission]") {
  Admission admission;
  const Need jobs{admission.add_resource(Lack::slot, 10)};
  const Need host{admission.add_resource(Lack::host, 10)};
  const LineId plain = admission.add_line({jobs});
  const LineId fetch = admission.add_line({jobs, host});
  admission.wait(plain, {0, 5, TaskId(3)}, 0ns);
  admission.wait(fetch, {0, 5, TaskId(1)}, 0ns);
  admission.wait(fetch, {0, 9, TaskId(2)}, 0ns);
  admission.wait(plain, {1, 0, TaskId(7)}, 0ns);
  CHECK(all_admitted(admission) == std::vector{TaskId(7), TaskId(2), TaskId(1), TaskId(3)});
}

TEST_CASE("a task takes all it needs or nothing, and gives it back as a whole", "[run][admission]") {
  Admission admission;
  const Need jobs{admission.add_resource(Lack::slot, 2)};
  const Need processes{admission.add_resource(Lack::slot, 1)};
  const LineId process = admission.add_line({jobs, processes});
  const LineId plain = admission.add_line({jobs});
  admission.wait(process, key(0), 0ns);
  admission.wait(process, key(1), 0ns);
  const auto first = admission.next(0ns);
  CHECK(first->id == TaskId(0));
  CHECK_FALSE(admission.next(0ns));
  admission.wait(plain, key(2), 0ns);
  CHECK(admission.next(0ns)->slot == 2);
  admission.release(process, first->slot, 0ns);
  CHECK(admission.next(0ns)->id == TaskId(1));
}

TEST_CASE("one that needs several of a thing waits for that many, and others go by", "[run][admission]") {
  Admission admission;
  const ResourceId jobs = admission.add_resource(Lack::slot, 3);
  const LineId light = admission.add_line({{jobs, 1}});
  const LineId heavy = admission.add_line({{jobs, 3}});
  admission.wait(light, key(0), 0ns);
  admission.wait(heavy, key(1), 0ns);
  admission.wait(light, key(2), 0ns);
  CHECK(all_admitted(admission) == std::vector{TaskId(0), TaskId(2)});
  admission.release(light, 1, 0ns);
  CHECK_FALSE(admission.next(0ns));
  admission.release(light, 2, 0ns);
  CHECK(admission.next(0ns)->id == TaskId(1));
}

TEST_CASE("who needs more than there is takes all of it, alone", "[run][admission]") {
  Admission admission;
  const ResourceId jobs = admission.add_resource(Lack::slot, 2);
  const LineId light = admission.add_line({{jobs, 1}});
  const LineId heavy = admission.add_line({{jobs, Need::everything}});
  admission.wait(light, key(0), 0ns);
  admission.wait(heavy, key(1), 0ns);
  CHECK(all_admitted(admission) == std::vector{TaskId(0)});
  admission.wait(light, key(2), 0ns);
  admission.release(light, 1, 0ns);
  CHECK(all_admitted(admission) == std::vector{TaskId(1)});
  admission.resize(jobs, 3, 0ns);
  CHECK(all_admitted(admission).empty());
  admission.release(heavy, 1, 0ns);
  CHECK(all_admitted(admission) == std::vector{TaskId(2)});
}

TEST_CASE("what is given back is kept for one that was overtaken for longer than its patience",
          "[run][admission]") {
  Admission admission([](TaskId) { return 10ms; });
  const ResourceId jobs = admission.add_resource(Lack::slot, 2);
  const LineId light = admission.add_line({{jobs, 1}});
  const LineId heavy = admission.add_line({{jobs, 2}}, Admission::Overtaking::starves);
  admission.wait(light, key(0), 0ns);
  admission.wait(heavy, key(1), 0ns);
  admission.wait(light, key(2), 0ns);
  for (std::size_t i = 3; i < 10; ++i) admission.wait(light, key(i), 0ns);
  CHECK(all_admitted(admission, 0ns) == std::vector{TaskId(0), TaskId(2)});  // Overtaken from here on.
  admission.release(light, 1, 10ms);
  CHECK(all_admitted(admission, 10ms) == std::vector{TaskId(3)});
  admission.release(light, 2, 11ms);
  CHECK(all_admitted(admission, 11ms).empty());
  admission.release(light, 1, 12ms);
  CHECK(all_admitted(admission, 12ms) == std::vector{TaskId(1)});
  admission.release(heavy, 1, 13ms);
  CHECK(all_admitted(admission, 13ms) == std::vector{TaskId(4), TaskId(5)});
}

TEST_CASE("one that waits for a pool keeps no slot meanwhile", "[run][admission]") {
  Admission admission([](TaskId) { return 0ns; });
  const ResourceId jobs = admission.add_resource(Lack::slot, 2);
  const ResourceId pool = admission.add_resource(Lack::pool, 2);
  const LineId plain = admission.add_line({{jobs, 1}});
  const LineId one = admission.add_line({{jobs, 1}, {pool, 1}}, Admission::Overtaking::starves);
  const LineId two = admission.add_line({{jobs, 1}, {pool, 2}}, Admission::Overtaking::starves);
  admission.wait(one, key(0), 0ns);
  admission.wait(two, key(1), 0ns);
  admission.wait(one, key(2), 0ns);
  admission.wait(one, key(3), 0ns);
  CHECK(all_admitted(admission, 0ns) == std::vector{TaskId(0), TaskId(2)});
  admission.wait(plain, key(4), 1ms);
  admission.release(one, 1, 1ms);
  CHECK(all_admitted(admission, 1ms) == std::vector{TaskId(4)});  // The unit is kept, the slot is not.
  admission.release(plain, 1, 2ms);
  CHECK(all_admitted(admission, 2ms).empty());
  admission.release(one, 2, 3ms);
  CHECK(all_admitted(admission, 3ms) == std::vector{TaskId(1)});
}

TEST_CASE("a slot's number stays with a task that will come back, and nobody else gets it",
          "[run][admission]") {
  Admission admission;
  const LineId line = admission.add_line({{admission.add_resource(Lack::slot, 1), 1}});
  for (std::size_t i = 0; i < 3; ++i) admission.wait(line, key(i), 0ns);
  REQUIRE(admission.next(0ns)->slot == 1);
  admission.release_until_retry(line, TaskId(0), 1, 0ns);
  CHECK(admission.next(0ns)->slot == 2);
  admission.wait(line, key(0), 0ns);
  admission.release(line, 2, 0ns);
  CHECK(admission.next(0ns)->slot == 1);
  admission.release_until_retry(line, TaskId(0), 1, 0ns);
  admission.give_up_slot(TaskId(0));
  CHECK(admission.next(0ns)->slot == 1);
}

TEST_CASE("what tasks lack is counted by what they lack, from their waiting to their start",
          "[run][admission]") {
  Admission admission;
  const Need jobs{admission.add_resource(Lack::slot, 1)};
  const Need host{admission.add_resource(Lack::host, 2, 10ms)};
  const LineId fetch = admission.add_line({jobs, host});
  const LineId plain = admission.add_line({jobs});
  admission.wait(plain, key(0), 0ns);
  admission.wait(fetch, key(1), 0ns);
  admission.wait(fetch, key(2), 0ns);
  CHECK(all_admitted(admission, 0ns) == std::vector{TaskId(0)});
  admission.release(plain, 1, 5ms);
  CHECK(all_admitted(admission, 5ms) == std::vector{TaskId(1)});
  admission.release(fetch, 1, 7ms);
  CHECK(all_admitted(admission, 7ms).empty());
  CHECK(admission.next_opening() == 15ms);
  admission.close_until(host.resource, 20ms, 9ms);
  CHECK(admission.next_opening() == 20ms);
  CHECK(all_admitted(admission, 15ms).empty());
  CHECK(all_admitted(admission, 20ms) == std::vector{TaskId(2)});
  // The slot until 7 ms, the rate until 9 ms, the closed host until 20 ms.
  CHECK(admission.lacked(fetch, 20ms) == Lacked{7ms, 11ms, 2ms});
  CHECK_FALSE(admission.next_opening());
}

TEST_CASE("what is given out at a pace is used at that pace, however late each begins", "[run][admission]") {
  Admission admission;
  const LineId line = admission.add_line({{admission.add_resource(Lack::slot, 9, 50ms), 1}});
  for (std::size_t i = 0; i < 4; ++i) admission.wait(line, key(i), 0ns);
  CHECK(all_admitted(admission, 0ns).size() == 1);
  admission.begun(line, 3ms);
  CHECK(all_admitted(admission, 50ms).empty());
  CHECK(admission.next_opening() == 53ms);
  CHECK(all_admitted(admission, 53ms).size() == 1);
  admission.begun(line, 53ms);
  CHECK(admission.next_opening() == 103ms);
  // So late that the next has been let in already: it counts from the later of the two.
  CHECK(all_admitted(admission, 103ms).size() == 1);
  admission.begun(line, 160ms);
  CHECK(admission.next_opening() == 210ms);
  admission.begun(line, 155ms);
  CHECK(admission.next_opening() == 210ms);
}

TEST_CASE("what is out of a thing that has become less is not given out again before there is enough",
          "[run][admission]") {
  Admission admission;
  const ResourceId places = admission.add_resource(Lack::host, 3);
  const LineId line = admission.add_line({{places, 1}});
  for (std::size_t i = 0; i < 5; ++i) admission.wait(line, key(i), 0ns);
  CHECK(all_admitted(admission).size() == 3);
  admission.resize(places, -2, 0ns);
  admission.release(line, 1, 0ns);
  admission.release(line, 2, 0ns);
  CHECK_FALSE(admission.next(0ns));
  admission.release(line, 3, 0ns);
  CHECK(all_admitted(admission).size() == 1);
  admission.resize(places, 2, 0ns);
  CHECK(all_admitted(admission).size() == 1);
}

TEST_CASE("nobody who waits is left when admission is closed, and what was taken can be given back",
          "[run][admission]") {
  Admission admission;
  const LineId line = admission.add_line({{admission.add_resource(Lack::slot, 1, 1s), 1}});
  admission.wait(line, key(0), 0ns);
  admission.wait(line, key(1), 0ns);
  REQUIRE(admission.next(0ns));
  admission.close(0ns);
  admission.release(line, 1, 0ns);
  CHECK_FALSE(admission.next(5s));
  CHECK_FALSE(admission.next_opening());
}

namespace {

/// What Admission does, by looking at everybody each time.
class PlainAdmission {
 public:
  struct Resource {
    ResourceId id;
    std::int64_t size;
    std::int64_t free;
    Duration interval;
    Duration opens{};
  };
  struct Line {
    LineId id;
    std::vector<std::pair<std::size_t, std::int64_t>> needs;  // Resources by index.
    bool starves;
  };
  struct Waiting {
    Key key;
    std::size_t line;
    std::optional<Duration> overtaken = {};
  };

  static Duration patience(TaskId id) { return Duration(static_cast<std::size_t>(id) % 7); }

  std::vector<Resource> resources;
  std::vector<Line> lines;
  std::vector<Waiting> waiting;

  std::optional<Waiting> next(Duration now) {
    std::vector<std::int64_t> kept(resources.size());
    const auto best = overtaken_with_all(now, kept);
    std::optional<std::size_t> first = best;
    for (std::size_t i = 0; !best && i < waiting.size(); ++i)
      if (may_start(i, now, kept) && (!first || waiting[*first].key < waiting[i].key)) first = i;
    if (!first) return std::nullopt;
    const Waiting in = waiting[*first];
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(*first));
    for (const auto& [r, amount] : lines[in.line].needs) resources[r].free -= amount;
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (is_first_of_line(i) && in.key < waiting[i].key && lacks_of(waiting[i].line, in.line, now) &&
          !waiting[i].overtaken)
        waiting[i].overtaken = now;
    for (const auto& [r, amount] : lines[in.line].needs)
      if (resources[r].interval > 0ns)
        resources[r].opens = std::max(resources[r].opens, now + resources[r].interval);
    return in;
  }

  bool opens_later(std::size_t line, Duration now) const {
    return std::ranges::any_of(lines[line].needs,
                               [&](const auto& need) { return resources[need.first].opens > now; });
  }

 private:
  bool is_first_of_line(std::size_t i) const {
    return lines[waiting[i].line].starves && std::ranges::none_of(waiting, [&](const Waiting& other) {
             return other.line == waiting[i].line && waiting[i].key < other.key;
           });
  }
  bool has(std::size_t r, std::int64_t amount, std::int64_t kept) const {
    return resources[r].free - kept >= std::min(amount, resources[r].size);
  }
  bool may_start(std::size_t i, Duration now, const std::vector<std::int64_t>& kept) const {
    const auto& needs = lines[waiting[i].line].needs;
    return !opens_later(waiting[i].line, now) &&
           std::ranges::all_of(needs, [&](const auto& n) { return has(n.first, n.second, kept[n.first]); });
  }
  bool lacks_of(std::size_t line, std::size_t taker, Duration now) const {
    if (opens_later(line, now)) return false;
    for (const auto& [r, amount] : lines[line].needs)
      for (const auto& [taken, unused] : lines[taker].needs)
        if (r == taken && !has(r, amount, 0)) return true;
    return false;
  }
  std::optional<std::size_t> overtaken_with_all(Duration now, std::vector<std::int64_t>& kept) const {
    std::vector<std::size_t> impatient;
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (is_first_of_line(i) && waiting[i].overtaken &&
          now - *waiting[i].overtaken > patience(waiting[i].key.id))
        impatient.push_back(i);
    std::ranges::sort(impatient, [&](std::size_t a, std::size_t b) {
      const auto since = [&](std::size_t i) { return *waiting[i].overtaken; };
      return since(a) != since(b) ? since(a) < since(b) : waiting[b].key < waiting[a].key;
    });
    for (const std::size_t i : impatient) {
      if (opens_later(waiting[i].line, now)) continue;
      bool all = true;
      const auto& needs = lines[waiting[i].line].needs;
      for (std::size_t n = needs.size(); all && n-- > 0;) {
        all = has(needs[n].first, needs[n].second, kept[needs[n].first]);
        kept[needs[n].first] += needs[n].second;
      }
      if (all) return i;
    }
    return std::nullopt;
  }
};

/// Any resources, lines and amounts, against a list that is searched from its beginning each time.
void compare_with_a_list(unsigned seed) {
  std::mt19937 random(seed);
  Admission admission(PlainAdmission::patience);
  PlainAdmission plain;
  for (std::size_t i = 0, n = 1 + random() % 5; i < n; ++i) {
    const std::int64_t size = 1 + random() % 4;
    const Duration interval = random() % 3 == 0 ? Duration(random() % 5) : 0ns;
    const auto id = admission.add_resource(Lack::slot, static_cast<std::size_t>(size), interval);
    plain.resources.push_back({id, size, size, interval});
  }
  for (std::size_t i = 0, n = 1 + random() % 6; i < n; ++i) {
    std::vector<Need> needs;
    PlainAdmission::Line line{};
    for (std::size_t r = 0; r < plain.resources.size(); ++r) {
      if (random() % 2 == 0 && !(needs.empty() && r + 1 == plain.resources.size())) continue;
      // Now and then more than there is.
      const std::int64_t amount =
          1 + static_cast<std::int64_t>(random() %
                                        (static_cast<unsigned>(plain.resources[r].size) + random() % 2));
      needs.push_back({plain.resources[r].id, amount});
      line.needs.emplace_back(r, amount);
    }
    line.starves = random() % 2 == 0;
    line.id = admission.add_line(
        needs, line.starves ? Admission::Overtaking::starves : Admission::Overtaking::harmless);
    plain.lines.push_back(line);
  }
  struct Running {
    int slot;
    std::size_t line;
  };
  std::vector<Running> running;
  Duration now{};
  std::size_t made = 0;
  for (int step = 0; step < 200; ++step) {
    const unsigned what = random() % 10;
    if (what < 4) {
      const std::size_t line = random() % plain.lines.size();
      plain.waiting.push_back({{static_cast<int>(random() % 3), 0, TaskId(made++)}, line});
      admission.wait(plain.lines[line].id, plain.waiting.back().key, now);
    } else if (what < 7 && !running.empty()) {
      const std::size_t i = random() % running.size();
      for (const auto& [r, amount] : plain.lines[running[i].line].needs) plain.resources[r].free += amount;
      admission.release(plain.lines[running[i].line].id, running[i].slot, now);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (what == 7 && random() % 2 == 0 && !running.empty()) {
      const std::size_t line = running[random() % running.size()].line;
      for (const auto& [r, amount] : plain.lines[line].needs)
        if (PlainAdmission::Resource& one = plain.resources[r]; one.interval > 0ns)
          one.opens = std::max(one.opens, now + one.interval);
      admission.begun(plain.lines[line].id, now);
    } else if (what == 7) {
      PlainAdmission::Resource& resource = plain.resources[random() % plain.resources.size()];
      const Duration until = now + Duration(random() % 6);
      resource.opens = std::max(resource.opens, until);
      admission.close_until(resource.id, until, now);
    } else {
      now += Duration(random() % 4);
    }
    for (;;) {
      const auto expected = plain.next(now);
      const auto admitted = admission.next(now);
      CAPTURE(seed, step);
      REQUIRE(admitted.has_value() == expected.has_value());
      if (!admitted) break;
      REQUIRE(admitted->id == expected->key.id);
      running.push_back({admitted->slot, expected->line});
    }
    // Who lacks nothing but time is told when: else the run would stand still.
    for (const PlainAdmission::Waiting& one : plain.waiting) {
      bool only_time =
          plain.opens_later(one.line, now) &&
          std::ranges::none_of(plain.waiting, [](const auto& other) { return other.overtaken.has_value(); });
      for (const auto& [r, amount] : plain.lines[one.line].needs)
        only_time = only_time && plain.resources[r].free >= std::min(amount, plain.resources[r].size);
      if (only_time) REQUIRE(admission.next_opening());
    }
    if (admission.next_opening()) REQUIRE(*admission.next_opening() > now);
    // However long they wait: when nothing runs and no clock is closed, somebody is let in.
    if (running.empty() && !admission.next_opening()) REQUIRE(plain.waiting.empty());
  }
}

}  // namespace

TEST_CASE("whatever is limited: the first that could start does, as if all were looked at each time",
          "[run][admission]") {
  compare_with_a_list(GENERATE(range(1u, 300u)));
}

TEST_CASE("that holds for ten thousand tables", "[.slow][run]") {
  for (unsigned seed = 300; seed < 10'300; ++seed) compare_with_a_list(seed);
}
