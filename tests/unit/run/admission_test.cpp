#include "core/run/admission.hpp"

#include <catch2/catch.hpp>

using namespace gather::run;
using gather::job::TaskId;

TEST_CASE("slot numbers are compact: always the lowest free one", "[run][admission]") {
  Slots slots(3);
  CHECK(slots.take() == 1);
  CHECK(slots.take() == 2);
  CHECK(slots.take() == 3);
  CHECK_FALSE(slots.any_free());
  slots.give(2);
  slots.give(1);
  CHECK(slots.take() == 1);
  CHECK(slots.take() == 2);
}

TEST_CASE("ready tasks are let in by priority, rank, then file order", "[run][admission]") {
  Admission admission({10, 10, 10});
  admission.wait(Kind::sleep, {0, 5, TaskId(3)});
  admission.wait(Kind::process, {0, 5, TaskId(1)});
  admission.wait(Kind::fetch, {0, 9, TaskId(2)});
  admission.wait(Kind::sleep, {1, 0, TaskId(7)});

  std::vector<TaskId> order;
  while (const auto admitted = admission.next()) order.push_back(admitted->id);

  CHECK(order == std::vector{TaskId(7), TaskId(2), TaskId(1), TaskId(3)});
}

TEST_CASE("a place of the kind and a slot are taken together or not at all", "[run][admission]") {
  Admission admission({2, 1, 1});
  admission.wait(Kind::process, {0, 0, TaskId(0)});
  admission.wait(Kind::process, {0, 0, TaskId(1)});
  const auto first = admission.next();
  CHECK(first->id == TaskId(0));
  CHECK_FALSE(admission.next());
  admission.wait(Kind::sleep, {0, 0, TaskId(2)});
  CHECK(admission.next()->slot == 2);
  admission.release(Kind::process, first->slot);
  CHECK(admission.next()->id == TaskId(1));
}
