#include "core/job/load.hpp"

#include "core/base/error.hpp"
#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;
using namespace std::chrono_literals;

TEST_CASE("a job has what its file says", "[job][load]") {
  const Job job = job_of(yaml(R"(
version: 1
name: nightly
limits: {jobs: 8, processes: 2, fetches: 3}
env: {LANG: C}
deadline: 1h
tasks:
  index: {fetch: "https://example.org/index.json"}
  warm: {sleep: 500ms}
  build:
    needs: [index, warm]
    run: [make, -j2]
    timeout: 2m30s
    grace: 1s
    delay: 0.25
    env: {CC: clang}
    cwd: src
    estimate: 40
    priority: -3
    description: the whole thing
    tags: [slow, ci]
  test: {needs: build, shell: "make test", tags: ci}
  all: {needs: [test]}
)"));
  CHECK(job.name == "nightly");
  CHECK(job.limits.jobs == 8);
  CHECK(job.limits.processes == 2);
  CHECK(job.limits.fetches == 3);
  CHECK(job.env == std::vector<NameValue>{{"LANG", "C"}});
  CHECK(job.deadline == 1h);
  REQUIRE(job.tasks.size() == 5);
  const Task& build = job.tasks[2];
  CHECK(build.id == "build");
  CHECK(build.position == Position{10, 3});
  CHECK(std::get<Run>(build.action).argv == std::vector<std::string>{"make", "-j2"});
  CHECK(build.needs == std::vector<TaskId>{TaskId{0}, TaskId{1}});
  CHECK(build.timeout == 150s);
  CHECK(build.grace == 1s);
  CHECK(build.delay == 250ms);
  CHECK(build.env == std::vector<NameValue>{{"CC", "clang"}});
  CHECK(build.cwd == "src");
  CHECK(build.estimate == 40s);
  CHECK(build.priority == -3);
  CHECK(build.description == "the whole thing");
  CHECK(build.tags == std::vector<std::string>{"slow", "ci"});
  CHECK(std::get<Sleep>(job.tasks[1].action).length == 500ms);
  CHECK(std::get<Shell>(job.tasks[3].action).script == "make test");
  CHECK(job.tasks[3].tags == std::vector<std::string>{"ci"});
  CHECK(std::holds_alternative<Milestone>(job.tasks[4].action));
}

TEST_CASE("what a file leaves out has its default", "[job][load]") {
  const Job job =
      job_of({.name = "some/where/ci.yaml", .text = "tasks: {a: {run: [x]}}", .directory = "some/where"});
  CHECK(job.name == "ci.yaml");
  CHECK(job.directory == "some/where");
  CHECK(job.limits.jobs == 64);
  CHECK(job.limits.processes == Limits::default_processes());
  CHECK(job.limits.processes >= 3);
  CHECK(job.limits.fetches == 32);
  CHECK(job.deadline == std::nullopt);
  const Task& task = job.tasks[0];
  CHECK(task.timeout == std::nullopt);
  CHECK(task.grace == 10s);
  CHECK(task.delay == 0s);
  CHECK(*task.retry == RetryPolicy{});
}

TEST_CASE("JSON and YAML give the same job", "[job][load]") {
  const Job from_json =
      job_of(json(R"({"tasks": {"a": {"sleep": "1.5s"}, "b": {"needs": "a", "sleep": 2}}})"));
  const Job from_yaml = job_of(yaml("tasks:\n  a: {sleep: 1.5s}\n  b:\n    needs: a\n    sleep: 2\n"));
  for (const Job* job : {&from_json, &from_yaml}) {
    CHECK(std::get<Sleep>(job->tasks[0].action).length == 1500ms);
    CHECK(std::get<Sleep>(job->tasks[1].action).length == 2s);
    CHECK(job->tasks[1].needs == std::vector<TaskId>{TaskId{0}});
  }
}

TEST_CASE("a task may need one that stands further down", "[job][load]") {
  CHECK(job_of(yaml("tasks: {a: {needs: b}, b: {}}")).tasks[0].needs == std::vector<TaskId>{TaskId{1}});
}

TEST_CASE("retry counts the tries after the first, attempts all of them", "[job][retry]") {
  const Job job = job_of(yaml(R"(
tasks:
  a: {run: [x], retry: 2}
  b: {run: [x], retry: {attempts: 2, delay: 1s, max_delay: 8s, backoff: fixed, jitter: false, on: [timeout, exit, exit],
                        exit_codes: 75, status: [429, 503]}}
  c: {run: [x], retry: {delay: 2m}}
  d: {fetch: "http://a/"}
  e: {fetch: "http://a/", retry: 0}
  f: {fetch: "http://a/", retry: {delay: 1s}}
)"));
  CHECK(*job.tasks[0].retry == RetryPolicy{.attempts = 3});
  CHECK(*job.tasks[1].retry == RetryPolicy{.attempts = 2,
                                           .delay = 1s,
                                           .max_delay = 8s,
                                           .backoff = Backoff::fixed,
                                           .jitter = false,
                                           .on = {FailureKind::timeout, FailureKind::exit},
                                           .exit_codes = {75},
                                           .status = {429, 503}});
  CHECK(*job.tasks[2].retry == RetryPolicy{.delay = 2min, .max_delay = 2min});
  CHECK(*job.tasks[3].retry == RetryPolicy{.attempts = 4});
  CHECK(*job.tasks[4].retry == RetryPolicy{});
  CHECK(*job.tasks[5].retry == RetryPolicy{.attempts = 4, .delay = 1s});
}

TEST_CASE("tasks that say the same share one retry policy", "[job][retry]") {
  const Job job = job_of(yaml("tasks: {a: {retry: 2}, b: {retry: 2}, c: {}, d: {}, e: {retry: 0}}"));
  CHECK(job.tasks[0].retry == job.tasks[1].retry);
  CHECK(job.tasks[2].retry == job.tasks[3].retry);
  CHECK(job.tasks[2].retry == job.tasks[4].retry);
}

TEST_CASE("defaults hold for tasks that say nothing else; mappings are joined key by key",
          "[job][defaults]") {
  const Job job = job_of(yaml(R"(
tasks:
  a: {run: [x]}
  b: {run: [x], timeout: 5s, retry: 1, env: {A: mine, C: c}, tags: []}
defaults: {timeout: 30s, retry: {attempts: 3, delay: 2s}, env: {A: a, B: b}, tags: [ci], priority: 7}
)"));
  CHECK(job.tasks[0].timeout == 30s);
  CHECK(*job.tasks[0].retry == RetryPolicy{.attempts = 3, .delay = 2s});
  CHECK(job.tasks[0].env == std::vector<NameValue>{{"A", "a"}, {"B", "b"}});
  CHECK(job.tasks[0].tags == std::vector<std::string>{"ci"});
  CHECK(job.tasks[0].priority == 7);
  CHECK(job.tasks[1].timeout == 5s);
  CHECK(*job.tasks[1].retry == RetryPolicy{.attempts = 2, .delay = 2s});
  CHECK(job.tasks[1].env == std::vector<NameValue>{{"A", "mine"}, {"B", "b"}, {"C", "c"}});
  CHECK(job.tasks[1].tags.empty());
}

TEST_CASE("default needs are for the others: the task they name does not need itself", "[job][defaults]") {
  const Job job =
      job_of(yaml("defaults: {needs: setup}\ntasks: {setup: {}, a: {}, b: {needs: a}, c: {needs: []}}"));
  CHECK(job.tasks[0].needs.empty());
  CHECK(job.tasks[1].needs == std::vector<TaskId>{TaskId{0}});
  CHECK(job.tasks[2].needs == std::vector<TaskId>{TaskId{1}});
  CHECK(job.tasks[3].needs.empty());
}

TEST_CASE("default retries leave the number of attempts to the action", "[job][defaults]") {
  const Job job =
      job_of(yaml("defaults: {retry: {delay: 1s}}\ntasks: {a: {run: [x]}, b: {fetch: 'http://a/'}}"));
  CHECK(job.tasks[0].retry->attempts == 1);
  CHECK(job.tasks[1].retry->attempts == 4);
}

TEST_CASE("a bad job is thrown with all its problems, and the status of wrong usage", "[job][load]") {
  try {
    load_or_throw(yaml("env: {A: no}\ntasks: {a: {slep: 1}}\n"));
    FAIL("nothing was thrown");
  } catch (const gather::Error& error) {
    CHECK(error.status() == gather::ExitStatus::usage);
    CHECK(std::string(error.what()) ==
          "job.yaml:1:10: warning: `no` is taken as text here, but many readers of YAML take it for false\n"
          "env: {A: no}\n"
          "         ^~\n"
          "  hint: quote it: \"no\"\n"
          "job.yaml:2:13: error: unknown key `slep`\n"
          "tasks: {a: {slep: 1}}\n"
          "            ^~~~\n"
          "  hint: did you mean `sleep`?\n");
  }
}

TEST_CASE("broken syntax is the only problem: what follows would be guesses", "[job][load]") {
  CHECK(problems_of(yaml("tsks: {a: 1, a: 2}\nb: [1\n")) ==
        "2:4 this list is not closed, or a comma is missing in it\n");
}

TEST_CASE("a mistake that aliases bring to many places is told once for each place it is written",
          "[job][load]") {
  CHECK(problems_of(yaml("tasks:\n  a: {run: &r [x, [1]]}\n  b: {run: *r}\n")) ==
        "2:19 expected text, found a list\n");
}

TEST_CASE("each set of tasks that wait for each other has one cycle", "[job][cycles]") {
  CHECK(problems_of(yaml("tasks:\n"
                         "  a: {needs: [b, c]}\n"
                         "  b: {needs: [c]}\n"
                         "  c: {needs: [a, x]}\n"
                         "  x: {needs: y}\n"
                         "  y: {needs: x}\n"
                         "  z: {needs: [a, x]}\n")) ==
        "2:18 these tasks wait for each other: a needs c needs a\n"
        "5:14 these tasks wait for each other: x needs y needs x\n");
}

TEST_CASE("failure kinds have the names that retry.on uses", "[job][model]") {
  CHECK(name(FailureKind::exit) == "exit");
  CHECK(name(FailureKind::http) == "http");
}

TEST_CASE("a warning in the defaults does not lose them", "[job][defaults]") {
  CHECK(load_or_throw(yaml("defaults: {env: {A: no}, priority: 2}\ntasks: {a: {}}")).job.tasks[0].priority ==
        2);
}

TEST_CASE("a file with a warning and no tasks is refused", "[job][load]") {
  CHECK(problems_of(yaml("name: no\n")) ==
        "1:1 this job has no `tasks`\n"
        "1:7 `no` is taken as text here, but many readers of YAML take it for false\n");
}

TEST_CASE("a process reads text, a file, JSON, or what another task writes, which it then needs",
          "[job][load]") {
  const Job job = job_of(yaml(R"(
defaults: {stdin: usual}
tasks:
  a: {run: [cat]}
  b: {run: [cat], stdin: {file: data/x.csv}}
  c: {run: [cat], stdin: {json: {n: [1, two, null]}}}
  d: {run: [cat], stdin: {task: a}}
  e: {run: [cat], needs: [b, a], stdin: {task: a}}
  f: {sleep: 1}
)"));
  const auto input = [&](std::size_t task) { return job.tasks[task].input->from; };
  CHECK(std::get<std::string>(input(0)) == "usual");
  CHECK(std::get<StandardInput::File>(input(1)).path == "data/x.csv");
  CHECK(std::get<std::string>(input(2)) == R"({"n":[1,"two",null]})");
  CHECK(std::get<StandardInput::Of>(input(3)).task == TaskId{0});
  CHECK(job.tasks[3].needs == std::vector<TaskId>{TaskId{0}});
  CHECK(std::get<StandardInput::Of>(input(4)).task == TaskId{0});
  CHECK(job.tasks[4].needs == std::vector<TaskId>{TaskId{1}, TaskId{0}});
  CHECK(job.tasks[5].input == nullptr);
}
