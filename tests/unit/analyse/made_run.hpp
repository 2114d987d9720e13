/// A job and a record of it, made by hand: what happened is what the test says.
#pragma once

#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <initializer_list>
#include <string>

namespace gather::test {

class MadeRun {
 public:
  class TaskBuilder {
   public:
    TaskBuilder& is_process();
    TaskBuilder& is_fetch();
    TaskBuilder& is_milestone();
    TaskBuilder& needs(std::initializer_list<const char*> ids);
    /// An attempt; the state of the task follows from the last one.
    TaskBuilder& ran(Duration start, Duration length, run::Outcome outcome = run::Passed{});
    /// A milestone's end.
    TaskBuilder& passed_at(Duration when);
    TaskBuilder& skipped_at(Duration when, const char* cause);
    /// Before it ever began.
    TaskBuilder& cancelled_at(Duration when, const char* why);

   private:
    friend class MadeRun;
    TaskBuilder(MadeRun& made, std::size_t index) : made_(made), index_(index) {}
    job::Task& task() { return made_.job.tasks[index_]; }
    run::TaskRecord& record() { return made_.record.tasks[index_]; }
    MadeRun& made_;
    std::size_t index_;
  };

  MadeRun();
  TaskBuilder task(const std::string& id);
  job::TaskId id(const std::string& id) const;

  job::Job job;
  run::Record record;  ///< The wall is the latest end, unless a test sets another.
};

}  // namespace gather::test
