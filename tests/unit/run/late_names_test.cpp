#include "core/run/late_names.hpp"

#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather;
using namespace gather::run;

namespace {

std::string claim(LateNames& names, const job::Job& job, unsigned task, const char* path) {
  const auto claimed = names.claim(job, job::TaskId(task), path, "the server names this");
  return claimed ? "ok" : claimed.error();
}

}  // namespace

TEST_CASE("C60, C63: a name that is known late and is another task's is refused", "[run][named]") {
  const job::Job job = job::job_of(job::yaml(R"(
defaults: {fetch: {dir: got}}
tasks:
  a: {fetch: {url: http://h/a, content_disposition: true}}
  b: {fetch: {url: http://h/b, content_disposition: true}}
  c: {fetch: http://h/c.txt}
)"));
  LateNames names;
  CHECK(claim(names, job, 0, "got/x") == "ok");
  CHECK(claim(names, job, 1, "got/x") == "the server names this got/x, which is the file of a, too");
  CHECK(claim(names, job, 1, "got/c.txt") == "the server names this got/c.txt, which is the file of c, too");
  CHECK(claim(names, job, 1, "got/c.txt.part").starts_with("the server names this got/c.txt.part, where"));
  CHECK(claim(names, job, 0, "got/x") == "ok");  // Another attempt.
  CHECK(claim(names, job, 0, "got/y") == "ok");
  CHECK(claim(names, job, 1, "got/x") == "ok");  // Which the first has no longer.
  // One that was refused is nobody's, and a part's name is taken whoever comes first.
  CHECK(claim(names, job, 0, "got/z.part") == "ok");
  CHECK(claim(names, job, 1, "got/z") ==
        "the server names this got/z, and until it is whole it is written where the file of a is");
  CHECK(claim(names, job, 0, "got/y") == "ok");
  CHECK(claim(names, job, 0, "got/z") == "ok");
  names.forget();
  CHECK(claim(names, job, 1, "got/y") == "ok");
}
