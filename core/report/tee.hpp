/// Several observers of one run.
#pragma once

#include "core/run/observer.hpp"

#include <vector>

namespace gather::report {

/// Tells each in turn. An exception from one keeps an event from those after it, and stops the run.
class Tee final : public run::Observer {
 public:
  /// None is null; all outlive this.
  explicit Tee(std::vector<run::Observer*> observers) : observers_(std::move(observers)) {}

  void run_started(const job::Job& job, const run::Record& record) override {
    for (run::Observer* each : observers_) each->run_started(job, record);
  }
  void attempt_started(job::TaskId id, int number) override {
    for (run::Observer* each : observers_) each->attempt_started(id, number);
  }
  void attempt_is_slow(job::TaskId id, Duration since_start) override {
    for (run::Observer* each : observers_) each->attempt_is_slow(id, since_start);
  }
  void attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                      const run::AttemptOutput& output) override {
    for (run::Observer* each : observers_) each->attempt_failed(id, attempt, wait, output);
  }
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override {
    for (run::Observer* each : observers_) each->task_ended(id, task, outputs);
  }
  void run_stopping(std::string_view why) override {
    for (run::Observer* each : observers_) each->run_stopping(why);
  }
  void run_ended(const run::Record& record) override {
    for (run::Observer* each : observers_) each->run_ended(record);
  }

 private:
  std::vector<run::Observer*> observers_;
};

}  // namespace gather::report
