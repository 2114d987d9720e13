#include "core/process/jobserver/makeflags.hpp"

#include <catch2/catch.hpp>

using namespace gather::process;

TEST_CASE("the last jobserver that MAKEFLAGS names counts", "[process][jobserver]") {
  CHECK(jobserver_of(" -j4 --jobserver-auth=3,4") == JobserverAuth(PipeAuth{3, 4}));
  CHECK(jobserver_of("ks -j --jobserver-fds=5,6 -j") == JobserverAuth(PipeAuth{5, 6}));
  CHECK(jobserver_of("--jobserver-auth=3,4 --jobserver-auth=fifo:/tmp/a b") ==
        JobserverAuth(FifoAuth{"/tmp/a"}));
  CHECK(jobserver_of("--jobserver-auth=fifo:/tmp/a --jobserver-auth=7,8") == JobserverAuth(PipeAuth{7, 8}));
}

TEST_CASE("what names no jobserver is none", "[process][jobserver]") {
  for (const char* const text :
       {"", "  ", "k", " -j4", "--jobserver-auth=", "--jobserver-auth=3", "--jobserver-auth=3,",
        "--jobserver-auth=3,x", "--jobserver-auth=-2,-2", "--jobserver-auth=3,4x",
        "--jobserver-auth=fifo:", "-- X=--jobserver-auth=3,4", " -- --jobserver-auth=3,4",
        "--jobserver-auth=3,4 --jobserver-auth=-1,-1", "--jobserver-auth=99999999999999999999,4"}) {
    INFO(text);
    CHECK_FALSE(jobserver_of(text));
  }
}

TEST_CASE("n among the first letters is make -n", "[process][jobserver]") {
  CHECK(is_dry_run("n"));
  CHECK(is_dry_run("kn -j4"));
  CHECK_FALSE(is_dry_run(""));
  CHECK_FALSE(is_dry_run(" -j4 -n"));
  CHECK_FALSE(is_dry_run("k -- n=1"));
  CHECK_FALSE(is_dry_run("name=value"));
  CHECK_FALSE(is_dry_run("--no-print-directory"));
}

TEST_CASE("a jobserver is put in place of any other, and nothing else changes", "[process][jobserver]") {
  CHECK(with_jobserver("", PipeAuth{3, 4}, 8) == " -j8 --jobserver-auth=3,4");
  CHECK(with_jobserver("ks -j2 --jobserver-auth=5,6 -- CC=a\\ b", FifoAuth{"/t/f"}, 2) ==
        "ks -j2 --jobserver-auth=fifo:/t/f -- CC=a\\ b");
  CHECK(with_jobserver(" -j --no-print-directory", PipeAuth{3, 4}, 2) ==
        " --no-print-directory -j2 --jobserver-auth=3,4");
  CHECK(without_jobserver("w -j4 --jobserver-auth=3,4 -I/x") == "w -I/x");
  CHECK(without_jobserver(" -j4 --jobserver-auth=3,4") == "");
}
