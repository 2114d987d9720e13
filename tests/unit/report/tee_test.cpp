#include "core/report/tee.hpp"

#include "tests/unit/analyse/made_run.hpp"
#include "tests/unit/report/fake_terminal.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::test::MadeRun;

namespace {

class Noting final : public gather::run::Observer {
 public:
  Noting(std::string name, std::string& notes) : name_(std::move(name)), notes_(notes) {}
  void run_started(const gather::job::Job&, const gather::run::Record&) override { note("run_started"); }
  void attempt_started(gather::job::TaskId, int) override { note("attempt_started"); }
  void attempt_failed(gather::job::TaskId, const gather::run::AttemptRecord&, gather::Duration,
                      const gather::run::AttemptOutput&) override {
    note("attempt_failed");
  }
  void task_ended(gather::job::TaskId, const gather::run::TaskRecord&,
                  std::span<const gather::run::AttemptOutput>) override {
    note("task_ended");
  }
  void run_stopping(std::string_view) override { note("run_stopping"); }
  void run_ended(const gather::run::Record&) override { note("run_ended"); }

 private:
  void note(const char* what) { notes_ += name_ + " " + what + "\n"; }
  std::string name_;
  std::string& notes_;
};

}  // namespace

TEST_CASE("a tee tells each observer of every event, in order", "[report][tee]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, gather::run::Exited{1});
  std::string notes;
  Noting first("1", notes);
  Noting second("2", notes);
  gather::report::Tee tee({&first, &second});

  tee.run_started(run.job, run.record);
  tee.attempt_started(run.id("a"), 1);
  tee.attempt_failed(run.id("a"), run.record.tasks[0].attempts[0], 1s, {});
  tee.task_ended(run.id("a"), run.record.tasks[0], {});
  tee.run_stopping("why");
  tee.run_ended(run.record);

  CHECK(notes ==
        "1 run_started\n2 run_started\n1 attempt_started\n2 attempt_started\n"
        "1 attempt_failed\n2 attempt_failed\n1 task_ended\n2 task_ended\n"
        "1 run_stopping\n2 run_stopping\n1 run_ended\n2 run_ended\n");
}
