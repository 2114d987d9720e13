#include "core/run/mirrors.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/loop.hpp"
#include "core/run/fetch_executor.hpp"
#include "core/run/retry.hpp"
#include "core/run/scheduler.hpp"
#include "tests/support/replies.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/job/jobs.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace std::chrono_literals;
using namespace gather;
using namespace gather::run;
using namespace gather::test;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

ScriptedServer::Script saying(Reply reply) {
  return [reply = std::move(reply)](const Asked&) { return reply; };
}

/// One fetch from these servers, in their order, or so many one after the other.
class Mirrored : private Observer {
 public:
  Mirrored(std::vector<const ScriptedServer*> servers, const std::string& keys = "", int tasks = 1)
      : servers_(servers) {
    std::string urls;
    for (const ScriptedServer* server : servers)
      urls += (urls.empty() ? "'" : ", '") + server->url("/f") + "'";
    std::string text = "tasks:\n";
    for (int i = 0; i < tasks; ++i)
      text += fmt::format("  t{}: {{needs: [{}], retry: 0, fetch: {{urls: [{}]{}}}}}\n", i,
                          i == 0 ? "" : fmt::format("t{}", i - 1), urls, keys);
    job_ = job::job_of(job::yaml(text));
    job_.directory = folder.path();
  }

  /// How the last of them ended, in words: which server served is in `attempt`.
  std::string run() {
    async::Loop loop;
    net::Session session(loop);
    FetchExecutor executor(session);
    Random random(1);
    const StatedDurations durations;
    Options options;
    options.limits = {64, 64, 64};
    Scheduler scheduler(job_, options, durations, {executor, executor, executor}, random, *this);
    const Record record =
        loop.run(async::timeout(10s, [&]() -> async::Co<Record> { co_return co_await scheduler.run(); }));
    attempt = record.tasks.back().attempts.at(0);
    std::string told = describe(attempt.outcome);
    for (std::size_t i = 0; i < servers_.size(); ++i)
      while (told.contains(servers_[i]->host()))
        told.replace(told.find(servers_[i]->host()), servers_[i]->host().size(), fmt::format("M{}", i + 1));
    return told;
  }
  /// The number of requests that each server got.
  std::string asked() const {
    std::string text;
    for (const ScriptedServer* server : servers_) text += fmt::format("{} ", server->requests().size());
    return text;
  }

  Folder folder;
  AttemptRecord attempt;

 private:
  std::vector<const ScriptedServer*> servers_;
  job::Job job_;
};

MirrorFailed failed(const std::string& url, Outcome outcome, std::optional<Duration> rests = {}) {
  return {url, std::move(outcome), rests};
}

const job::RetryPolicy usual{};

}  // namespace

TEST_CASE("the next mirror is asked where one can't serve, whatever the reason", "[run][mirror]") {
  const ScriptedServer good(saying({response(200, "hello")}));
  for (const Reply& bad :
       {Reply{response(404, "gone")}, Reply{response(503, "")}, Reply{"", ScriptedServer::Then::close},
        Reply{response(200, "jello")}, Reply{redirect("ftp://a/")},
        cut(response(200, "hello"), 2, ScriptedServer::Then::close)}) {
    const ScriptedServer first(saying(bad));
    Mirrored mirrored({&first, &good}, ", output: f, expect: {body: hello}");
    CHECK(mirrored.run() == "passed");
    CHECK(mirrored.attempt.transfer->mirror == good.url("/f"));
    CHECK(mirrored.attempt.http_status == 200);
    CHECK(mirrored.folder.list() == "f");
    CHECK(mirrored.folder.read("f") == "hello");
  }
}

TEST_CASE("a mirror with the wrong bytes is not the last word", "[run][mirror]") {
  const ScriptedServer wrong(saying({response(200, "jello")}));
  const ScriptedServer good(saying({response(200, "hello")}));
  Mirrored mirrored({&wrong, &good},
                    ", output: f, sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  CHECK(mirrored.run() == "passed");
  CHECK(mirrored.folder.read("f") == "hello");
}

TEST_CASE("the first mirror that serves is the last one asked", "[run][mirror]") {
  const ScriptedServer first(saying({response(200, "hello")}));
  const ScriptedServer second(saying({response(200, "hello")}));
  Mirrored mirrored({&first, &second});
  CHECK(mirrored.run() == "passed");
  CHECK(mirrored.asked() == "1 0 ");
  CHECK(mirrored.attempt.transfer->mirror == first.url("/f"));
}

TEST_CASE("a failure on this side is no mirror's to mend", "[run][mirror]") {
  const ScriptedServer first(saying({response(200, "hello")}));
  const ScriptedServer second(saying({response(200, "hello")}));
  Mirrored mirrored({&first, &second}, ", output: f, if_exists: fail");
  mirrored.folder.write("f", "old");
  CHECK_THAT(mirrored.run(), Catch::EndsWith("f is there already"));
  CHECK(mirrored.asked() == "0 0 ");
}

TEST_CASE("the times of all mirrors that were asked are added up", "[run][mirror]") {
  const ScriptedServer slow(saying({.bytes = response(404, "gone"), .latency = 100ms}));
  const ScriptedServer good(saying({.bytes = response(200, "hello"), .latency = 100ms}));
  Mirrored mirrored({&slow, &good});
  CHECK(mirrored.run() == "passed");
  CHECK(mirrored.attempt.transfer->first_byte >= 200ms);
  CHECK(mirrored.attempt.length >= 200ms);
}

TEST_CASE("where no mirror serves, all of them are told, and the one worth a retry counts", "[run][mirror]") {
  const ScriptedServer gone(saying({response(404, "gone")}));
  const ScriptedServer broken(saying({response(500, "broken")}));
  Mirrored mirrored({&gone, &broken});
  CHECK(mirrored.run() == "HTTP status 500: broken; other mirrors: M1: HTTP status 404: gone");
  CHECK(mirrored.attempt.http_status == 500);
  CHECK(is_retryable(mirrored.attempt.outcome, usual));
}

TEST_CASE("a mirror that asks for rest is left alone while another serves", "[run][mirror]") {
  const ScriptedServer tired(saying({busy(503, 60s)}));
  const ScriptedServer good(saying({response(200, "hello")}));
  Mirrored mirrored({&tired, &good}, "", 2);
  CHECK(mirrored.run() == "passed");
  CHECK(mirrored.asked() == "1 2 ");
}

TEST_CASE("a Retry-After counts for the attempt only if all mirrors rest, and then the earliest does",
          "[run][mirror]") {
  const auto rest = [](std::initializer_list<MirrorFailed> mirrors) {
    return std::get<UnexpectedStatus>(without_a_mirror(std::vector(mirrors), usual)).retry_after;
  };
  const UnexpectedStatus busy_for_60s{503, "", 60s};
  const UnexpectedStatus busy_for_20s{429, "", 20s};
  CHECK(rest({failed("http://a/", busy_for_60s), failed("http://b/", busy_for_20s)}) == 20s);
  CHECK(rest({failed("http://a/", busy_for_60s), failed("http://b/", UnexpectedStatus{404})}) ==
        std::nullopt);
  CHECK(rest({failed("http://a/", busy_for_60s, 5s), failed("http://b/", busy_for_20s)}) == 5s);
}
