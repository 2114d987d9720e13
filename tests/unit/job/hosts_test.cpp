#include "core/job/hosts.hpp"

#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;
using namespace std::chrono_literals;

namespace {

std::string host(std::string_view url) { return spell(host_of(url)); }

std::string pattern(std::string_view text) {
  const auto parsed = parse_host_pattern(text);
  return parsed ? spell(*parsed) : parsed.error().message;
}

/// The pattern that counts for a URL's host, or "none".
std::string counts(std::initializer_list<std::string_view> patterns, std::string_view url) {
  std::vector<HostLimit> limits;
  for (const std::string_view text : patterns)
    limits.push_back({.pattern = parse_host_pattern(text).value()});
  const HostLimit* const limit = limit_for(limits, host_of(url));
  return limit == nullptr ? "none" : spell(limit->pattern);
}

}  // namespace

TEST_CASE("a host is its name in lower case and its port, that of the scheme if none is written",
          "[job][hosts]") {
  CHECK(host("http://Example.ORG/a?b") == "example.org:80");
  CHECK(host("https://example.org") == "example.org:443");
  CHECK(host("HTTPS://example.org.:8443#x") == "example.org:8443");
  CHECK(host("http://[::1]:81/") == "[::1]:81");
  CHECK(host("http://[::1]/") == "[::1]:80");
}

TEST_CASE("a pattern is a host, a host with its port, what is below a suffix, or everything",
          "[job][hosts]") {
  CHECK(pattern("Example.org") == "example.org");
  CHECK(pattern("example.org:8080") == "example.org:8080");
  CHECK(pattern("[::1]:81") == "[::1]:81");
  CHECK(pattern("*.example.org") == "*.example.org");
  CHECK(pattern("*") == "*");
  CHECK(pattern("a*.org") == "`a*.org` has a `*` in it");
  CHECK(pattern("*.example.org:80") == "`*.example.org:80` has a port");
  CHECK(pattern("http://example.org") == "`http://example.org` is a URL, not a host");
  CHECK(pattern("example.org/a") == "`example.org/a` is no host");
  CHECK(pattern("example.org:0") == "`0` is no port");
  CHECK(pattern("*.") == "this pattern names no host");
  CHECK(pattern("") == "this pattern names no host");
}

TEST_CASE("the most specific pattern counts, wherever it stands", "[job][hosts]") {
  const std::string_view url = "http://a.b.example.org:8080/";
  CHECK(counts({"*", "*.org", "*.b.example.org", "a.b.example.org", "a.b.example.org:8080"}, url) ==
        "a.b.example.org:8080");
  CHECK(counts({"a.b.example.org:80", "a.b.example.org", "*.b.example.org"}, url) == "a.b.example.org");
  CHECK(counts({"*.b.example.org", "*.example.org", "*"}, url) == "*.b.example.org");
  CHECK(counts({"*", "*.example.com"}, url) == "*");
  CHECK(counts({"example.org"}, url) == "none");
}

TEST_CASE("a suffix means what is below it: not itself, and no part of a name", "[job][hosts]") {
  CHECK(counts({"*.example.org"}, "http://example.org/") == "none");
  CHECK(counts({"*.example.org"}, "http://notexample.org/") == "none");
  CHECK(counts({"*.example.org"}, "http://a.example.org/") == "*.example.org");
}

TEST_CASE("a rate is so many starts in a second, a minute or an hour", "[job][hosts]") {
  CHECK(parse_rate("5/s")->interval() == 200ms);
  CHECK(parse_rate("30/m")->interval() == 2s);
  CHECK(parse_rate("1/h")->interval() == 1h);
  CHECK(parse_rate("3/s")->interval() == 333'333'334ns);  // Never faster than it says.
  CHECK(spell(*parse_rate("30/m")) == "30/m");
  CHECK(parse_rate("0/s").error() == "`0/s` is no rate: it would never start anything");
  CHECK(parse_rate("0.5/s").error() ==
        "`0.5/s` is no rate: the number of starts is a whole one; 0.5/s is 30/m");
  for (const std::string_view text : {"5", "5/", "/s", "5/d", "-5/s", "5 /s", "5/ms", "", "99999999999/s"})
    CHECK_FALSE(parse_rate(text));
}

TEST_CASE("a job has the limits of hosts that its file says", "[job][hosts]") {
  const Job job = job_of(yaml(R"(
limits:
  hosts:
    example.org: {max: 2, rate: 5/s}
    "*.example.org": {rate: 60/m}
    "*": {max: 3}
tasks: {a: {sleep: 1}}
)"));
  REQUIRE(job.limits.hosts.size() == 3);
  CHECK(job.limits.hosts[0].max == 2);
  CHECK(job.limits.hosts[0].rate == Rate{5, 1s});
  CHECK(job.limits.hosts[1].max == usual_host_max);
  CHECK(job.limits.hosts[2].max == 3);
  CHECK_FALSE(job.limits.hosts[2].rate);
}

TEST_CASE("every mistake in the limits of hosts is found, where it stands", "[job][hosts]") {
  CHECK(problems_of(yaml(R"(
limits:
  hosts:
    "http://a.org": {max: 2}
    a.org: 3
    b.org: {max: 0}
    c.org: {rate: 5}
    d.org: {burst: 3}
    e.org: {}
    E.org: {max: 1}
tasks: {a: {sleep: 1}}
)")) == "4:5 `http://a.org` is a URL, not a host\n"
        "5:12 expected a mapping, found `3`\n"
        "6:18 must be at least 1\n"
        "7:19 `5` is no rate: it is a number of starts and `/s`, `/m` or `/h`, as in 5/s\n"
        "8:13 unknown key `burst`\n"
        "9:12 this limits nothing\n"
        "10:5 `e.org` has a limit already\n");
}
