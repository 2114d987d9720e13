#include "core/run/admission.hpp"

#include <algorithm>
#include <cassert>
#include <ranges>

namespace gather::run {

int Slots::take() {
  if (returned_.empty()) return never_used_++;
  const int slot = returned_.top();
  returned_.pop();
  return slot;
}

void Slots::give(int slot) {
  assert(slot > 0 && slot < never_used_);
  returned_.push(slot);
}

ResourceId Admission::add_resource(Lack lack, std::size_t size, Duration interval) {
  assert(size > 0);
  const auto amount = static_cast<std::int64_t>(size);
  resources_.push_back({.lack = lack, .size = amount, .free = amount, .interval = interval});
  return ResourceId(static_cast<std::uint32_t>(resources_.size() - 1));
}

ResourceId Admission::add_outside_resource(Lack lack, std::size_t size) {
  const ResourceId id = add_resource(lack, size);
  at(id).is_outside = true;
  return id;
}

LineId Admission::add_line(std::vector<Need> needs, Overtaking overtaking) {
  assert(!needs.empty());
  lines_.push_back({.needs = std::move(needs)});
  const auto id = LineId(static_cast<std::uint32_t>(lines_.size() - 1));
  if (overtaking == Overtaking::starves && patience_) starving_.push_back(id);
  return id;
}

// A resource has a gate for each amount that has been lacked of it, and one for its clock: few.
Admission::GateId Admission::gate_of(ResourceId resource, std::int64_t amount) {
  for (const GateId id : at(resource).gates)
    if (at(id).amount == amount) return id;
  gates_.push_back({.resource = resource, .amount = amount});
  const auto id = GateId(static_cast<std::uint32_t>(gates_.size() - 1));
  at(resource).gates.push_back(id);
  return id;
}

std::optional<Admission::GateId> Admission::closed_gate(const Line& line, Duration now) {
  for (const Need& need : line.needs) {
    if (at(need.resource).opens() > now) return gate_of(need.resource, 0);
    if (!at(need.resource).has(need.amount)) return gate_of(need.resource, need.amount);
  }
  return std::nullopt;
}

bool Admission::is_open(const Gate& gate, Duration now) {
  const Resource& resource = at(gate.resource);
  return gate.amount == 0 ? resource.opens() <= now : resource.has(gate.amount);
}

Lack Admission::lack_at(const Gate& gate) {
  const Resource& resource = at(gate.resource);
  const bool is_paced = gate.amount == 0 && resource.paced_until > resource.closed_until;
  return is_paced ? Lack::rate : resource.lack;
}

// The one place that moves a line, or changes as what it stands where it stands.
void Admission::place(LineId id, std::optional<GateId> gate, Duration now) {
  Line& line = at(id);
  if (line.waiting.empty()) gate = std::nullopt;
  decltype(Gate::lines)::node_type node;
  if (line.gate) {
    line.lacked[static_cast<std::size_t>(line.lacks)] += now - line.since;
    node = at(*line.gate).lines.extract({line.listed, id});
    if (gate != line.gate) list(*line.gate, now);
  }
  line.gate = gate;
  if (!gate) return;
  line.since = now;
  line.lacks = lack_at(at(*gate));
  line.listed = line.waiting.top();
  if (node.empty()) {
    at(*gate).lines.emplace(line.listed, id);
  } else {
    node.value().first = line.listed;
    at(*gate).lines.insert(std::move(node));
  }
  list(*gate, now);
}

// The one place that decides where a gate stands; called after every change of it or of its resource.
void Admission::list(GateId id, Duration now) {
  Gate& gate = at(id);
  std::optional<Key> open;
  std::optional<Duration> closed;
  if (!gate.lines.empty()) {
    if (is_open(gate, now))
      open = gate.lines.begin()->first;
    else if (gate.amount == 0)
      closed = at(gate.resource).opens();
  }
  const auto id_in = [](const std::optional<Key>& key) {
    return key ? std::optional(key->id) : std::nullopt;
  };
  if (id_in(gate.listed) != id_in(open)) {
    if (gate.listed) spare_open_ = open_.extract({*gate.listed, id});
    if (open && spare_open_) {
      spare_open_.value() = {*open, id};
      open_.insert(std::move(spare_open_));
    } else if (open) {
      open_.emplace(*open, id);
    }
    gate.listed = open;
  }
  if (gate.listed_closed != closed) {
    if (gate.listed_closed) closed_.erase({*gate.listed_closed, id});
    if (closed) closed_.emplace(*closed, id);
    gate.listed_closed = closed;
  }
}

void Admission::list_gates_of(const Line& line, Duration now) {
  for (const Need& need : line.needs)
    for (const GateId gate : at(need.resource).gates) list(gate, now);
}

void Admission::wait(LineId id, const Key& key, Duration now) {
  Line& line = at(id);
  const bool is_first = line.waiting.empty() || line.waiting.top() < key;
  line.waiting.push(key);
  if (!is_first) return;
  // Whoever lacks nothing yet is looked at by the next next(), wherever it stands.
  if (!line.gate) {
    const auto gate = closed_gate(line, now);
    place(id, gate ? *gate : gate_of(line.needs.front().resource, line.needs.front().amount), now);
  } else {
    place(id, line.gate, now);
  }
}

std::optional<Admission::Admitted> Admission::next(Duration now) {
  while (!closed_.empty() && closed_.begin()->first <= now) list(closed_.begin()->second, now);
  if (const auto overtaken = keep_for_overtaken(now)) return let_in(*overtaken, now);
  while (!open_.empty()) {
    const LineId id = at(open_.begin()->second).lines.begin()->second;
    const auto gate = closed_gate(at(id), now);
    if (!gate) return let_in(id, now);
    place(id, gate, now);
  }
  return std::nullopt;
}

Admission::Admitted Admission::let_in(LineId id, Duration now) {
  Line& line = at(id);
  const Key key = line.waiting.top();
  line.waiting.pop();
  for (const Need& need : line.needs) at(need.resource).free -= need.amount;
  if (!starving_.empty()) {
    overtaken_.erase(key.id);
    note_overtaken(key, line, now);
  }
  for (const Need& need : line.needs)
    if (Resource& resource = at(need.resource); resource.interval > Duration(0))
      resource.paced_until = now + resource.interval;
  place(id, line.gate, now);
  list_gates_of(line, now);
  const auto own = kept_slots_.extract(key.id);
  return {key.id, own ? own.mapped() : slots_.take()};
}

// Only of what is lacked then: whoever takes something of which there is enough keeps nobody waiting.
void Admission::note_overtaken(const Key& by, const Line& line, Duration now) {
  const auto took = [&](ResourceId id) {
    return std::ranges::find(line.needs, id, &Need::resource) != line.needs.end();
  };
  for (const LineId id : starving_) {
    const Line& other = at(id);
    if (other.waiting.empty() || !(by < other.waiting.top())) continue;
    bool lacks = false;
    bool may_start = true;
    for (const Need& need : other.needs) {
      const Resource& resource = at(need.resource);
      may_start = may_start && resource.opens() <= now;
      lacks = lacks || (!resource.is_outside && resource.free < std::min(need.amount, resource.size) &&
                        took(need.resource));
    }
    if (lacks && may_start) overtaken_.emplace(other.waiting.top().id, now);
  }
}

// Worked out anew for each start: few are overtaken at a time, and what is free changes with every end.
std::optional<LineId> Admission::keep_for_overtaken(Duration now) {
  if (overtaken_.empty() && !keeps_any_) return std::nullopt;
  struct Impatient {
    Duration since;
    Key key;
    LineId line;
  };
  std::vector<Impatient> impatient;
  for (const LineId id : starving_) {
    Line& line = at(id);
    line.has_all_kept = false;
    if (line.waiting.empty()) continue;
    const Key& key = line.waiting.top();
    const auto since = overtaken_.find(key.id);
    if (since != overtaken_.end() && now - since->second > patience_(key.id))
      impatient.push_back({since->second, key, id});
  }
  std::ranges::sort(impatient, [](const Impatient& a, const Impatient& b) {
    return a.since != b.since ? a.since < b.since : b.key < a.key;
  });
  std::vector<std::int64_t> kept(resources_.size());
  for (const Impatient& one : impatient)
    if (keep_for(one.line, now, kept)) return one.line;
  keeps_any_ = false;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    keeps_any_ = keeps_any_ || kept[i] > 0;
    if (std::exchange(resources_[i].kept, kept[i]) == kept[i]) continue;
    for (const GateId gate : resources_[i].gates) list(gate, now);
  }
  return std::nullopt;
}

// True if it has all; else `kept` grows by what is not to be given to anybody behind it.
bool Admission::keep_for(LineId id, Duration now, std::vector<std::int64_t>& kept) {
  const Line& line = at(id);
  const auto opens_later = [&](const Need& need) { return at(need.resource).opens() > now; };
  if (std::ranges::any_of(line.needs, opens_later)) return false;
  for (const Need& need : std::views::reverse(line.needs)) {
    const Resource& resource = at(need.resource);
    if (resource.is_outside) continue;
    std::int64_t& kept_before = kept[static_cast<std::size_t>(need.resource)];
    const bool has = resource.free - kept_before >= std::min(need.amount, resource.size);
    kept_before += need.amount;
    if (!has) return false;
  }
  // It stands where it is seen that nothing else is missing: what is kept for it closes its other gates.
  for (const Need& need : line.needs)
    if (at(need.resource).is_outside && !at(need.resource).has(need.amount)) {
      at(id).has_all_kept = true;
      place(id, gate_of(need.resource, need.amount), now);
      return false;
    }
  return true;
}

void Admission::begun(LineId id, Duration now) {
  for (const Need& need : at(id).needs) {
    Resource& resource = at(need.resource);
    if (resource.interval == Duration(0) || resource.paced_until >= now + resource.interval) continue;
    resource.paced_until = now + resource.interval;
    clock_changed(need.resource, now);
  }
}

std::vector<Key> Admission::take_out(LineId id, Duration now) {
  Line& line = at(id);
  std::vector<Key> keys;
  for (; !line.waiting.empty(); line.waiting.pop()) keys.push_back(line.waiting.top());
  line.has_all_kept = false;
  place(id, std::nullopt, now);
  return keys;
}

void Admission::release(LineId id, int slot, Duration now) {
  const Line& line = at(id);
  for (const Need& need : line.needs) at(need.resource).free += need.amount;
  list_gates_of(line, now);
  slots_.give(slot);
}

void Admission::release_until_retry(LineId id, job::TaskId task, int slot, Duration now) {
  const Line& line = at(id);
  for (const Need& need : line.needs) at(need.resource).free += need.amount;
  list_gates_of(line, now);
  if (spare_kept_) {
    spare_kept_.key() = task;
    spare_kept_.mapped() = slot;
    kept_slots_.insert(std::move(spare_kept_));
  } else {
    kept_slots_.emplace(task, slot);
  }
}

void Admission::give_up_slot(job::TaskId task) {
  if (auto own = kept_slots_.extract(task)) {
    slots_.give(own.mapped());
    spare_kept_ = std::move(own);
  }
}

void Admission::close_until(ResourceId id, Duration until, Duration now) {
  Resource& resource = at(id);
  if (until <= resource.closed_until) return;
  resource.closed_until = until;
  clock_changed(id, now);
}

Duration Admission::take_turn(ResourceId id, Duration now) {
  Resource& resource = at(id);
  const Duration turn = std::max(now, resource.opens());
  if (resource.interval > Duration(0)) {
    resource.paced_until = turn + resource.interval;
    clock_changed(id, now);
  }
  return turn;
}

// Those who stand there may lack something else from now on: its pace, or its rest.
void Admission::clock_changed(ResourceId id, Duration now) {
  const GateId clock = gate_of(id, 0);
  std::vector<LineId> standing;
  for (const Place& place : at(clock).lines) standing.push_back(place.second);
  for (const LineId line : standing) place(line, clock, now);
  list(clock, now);
}

void Admission::resize(ResourceId id, std::int64_t change, Duration now) {
  assert(at(id).size + change > 0);
  at(id).size += change;
  at(id).free += change;
  for (const GateId gate : at(id).gates) list(gate, now);
}

void Admission::unpace(ResourceId id, Duration now) {
  Resource& resource = at(id);
  resource.paced_until = std::min(resource.paced_until, now);
  for (const GateId gate : resource.gates) list(gate, now);
}

// Who stood there first may have taken what the others need, too: they move on to that.
bool Admission::is_lacked(ResourceId id, Duration now) {
  bool lacked = false;
  const std::vector<GateId> gates = at(id).gates;
  for (const GateId gate : gates) {
    if (at(gate).amount == 0) continue;
    std::vector<LineId> standing;
    for (const Place& place : at(gate).lines) standing.push_back(place.second);
    for (const LineId line : standing) {
      const auto closed = at(line).has_all_kept ? gate : closed_gate(at(line), now);
      if (closed == gate)
        lacked = true;
      else
        place(line, closed, now);
    }
  }
  return lacked;
}

std::optional<Duration> Admission::next_opening() const {
  return closed_.empty() ? std::nullopt : std::optional(closed_.begin()->first);
}

Lacked Admission::lacked(LineId id, Duration now) const {
  const Line& line = lines_[static_cast<std::size_t>(id)];
  Lacked result = line.lacked;
  if (line.gate) result[static_cast<std::size_t>(line.lacks)] += now - line.since;
  return result;
}

void Admission::close(Duration now) {
  overtaken_.clear();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    lines_[i].waiting = {};
    place(LineId(static_cast<std::uint32_t>(i)), std::nullopt, now);
  }
}

}  // namespace gather::run
