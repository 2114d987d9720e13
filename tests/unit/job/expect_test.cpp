#include "core/job/expect.hpp"

#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace gather::job;

namespace {

/// What `expect: {…}` is read as.
Expect read(const std::string& keys) {
  const Job job = job_of(yaml("tasks: {a: {fetch: {url: http://a/, expect: {" + keys + "}}}}\n"));
  return *std::get<std::unique_ptr<const Fetch>>(job.tasks[0].action)->expect;
}

std::string faults(const std::string& keys) {
  std::string text = problems_of(yaml("tasks: {a: {fetch: {url: http://a/, expect: {" + keys + "}}}}\n"));
  if (!text.empty()) text.pop_back();
  return text;
}

std::string head(const std::string& keys, std::map<std::string, std::string> headers, bool partial = false) {
  const auto value = [&](std::string_view name) -> std::optional<std::string> {
    const auto at = headers.find(std::string(name));
    return at == headers.end() ? std::nullopt : std::optional(at->second);
  };
  return fault_in_headers(read(keys), value, partial).value_or("good");
}

std::string body(const std::string& keys, std::string_view text) {
  return fault_in_body(read(keys), text).value_or("good");
}

}  // namespace

TEST_CASE("an answer has one of the types expected, whatever its case and parameters", "[job][expect]") {
  CHECK(head("type: text/csv", {{"content-type", "Text/CSV ; charset=utf-8"}}) == "good");
  CHECK(head("type: [text/csv, image/*]", {{"content-type", "image/png"}}) == "good");
  CHECK(head("type: image/*", {{"content-type", "imagery/png"}}) ==
        R"(the answer is "imagery/png", not "image/*")");
  CHECK(head("type: [a/b, c/d]", {{"content-type", "text/html"}}) ==
        R"(the answer is "text/html", not "a/b" or "c/d")");
  CHECK(head("type: a/b", {}) == R"(the answer has no type, and is to be "a/b")");
}

TEST_CASE("headers exist, equal, contain or match", "[job][expect]") {
  const std::map<std::string, std::string> hit{{"X-Cache", "HIT from edge-7"}};
  CHECK(head("header: {X-Cache: HIT from edge-7}", hit) == "good");
  CHECK(head("header: {X-Cache: HIT}", hit) == R"(the header X-Cache is "HIT from edge-7", not "HIT")");
  CHECK(head("header: {X-Cache: [MISS, HIT from edge-7]}", hit) == "good");
  CHECK(head("header: {X-Cache: {contains: edge, matches: '^HIT .*[0-9]$'}}", hit) == "good");
  CHECK(head("header: {X-Cache: {matches: '^edge'}}", hit) == R"(the header X-Cache does not match "^edge")");
  CHECK(head("header: {X-Cache: {exists: true}}", {}) == "the answer has no header X-Cache");
  CHECK(head("header: {X-Cache: {exists: false}}", {}) == "good");
  CHECK(head("header: {X-Cache: {exists: false}}", hit) ==
        "the answer has a header X-Cache, which is not expected");
}

TEST_CASE("the rest of a body need not repeat the headers, but not contradict either", "[job][expect]") {
  const std::string keys = "type: a/b, header: {X: y}";
  CHECK(head(keys, {}, true) == "good");
  CHECK(head(keys, {{"content-type", "text/html"}}, true) == R"(the answer is "text/html", not "a/b")");
  CHECK(head(keys, {{"X", "z"}}, true) == R"(the header X is "z", not "y")");
}

TEST_CASE("a body contains and matches all that is expected", "[job][expect]") {
  CHECK(body("body: all is well", "so all is well here") == "good");
  CHECK(body("body: [so, missing]", "so all is well here") == R"(the body does not contain "missing")");
  CHECK(body("body: {contains: [so, here], matches: 'w(e|a)ll'}", "so all is well here") == "good");
  CHECK(body("body: {matches: '^two$'}", "one\ntwo\nthree") == "good");  // Lines, as grep has them.
  CHECK(body("body: {matches: 'one.two'}", "one\ntwo") == R"(the body does not match "one.two")");
  CHECK(body("body: {matches: 'b'}", std::string_view("a\0b", 3)) == "good");
  CHECK(body("body: {matches: x}", "") == R"(the body does not match "x")");
}

TEST_CASE("a long body is matched without a stack as deep", "[job][expect]") {
  const std::string text(2'000'000, 'a');
  CHECK(body("body: {matches: '^(a|b)*c?$'}", text) == "good");
}

TEST_CASE("parts of a JSON body exist, or equal any JSON", "[job][expect]") {
  const std::string text =
      R"({"state": "done", "n": 2, "items": [{"id": 7}], "a/b": null, "x~": {"y": [1]}})";
  CHECK(body("json: {/state: done, /n: 2, /items/0/id: 7, /a~1b: null, /x~0: {equals: {y: [1]}}}", text) ==
        "good");
  CHECK(body("json: {/n: 2.0}", text) == "good");  // JSON knows one kind of number.
  CHECK(body("json: {/n: '2'}", text) == R"(in the JSON, "/n" is 2, not "2")");
  CHECK(body("json: {/items: {exists: true}, /error: {exists: false}}", text) == "good");
  CHECK(body("json: {/items/1: {exists: true}}", text) == R"(the JSON has no "/items/1")");
  CHECK(body("json: {/items/01: 7}", text) == R"(the JSON has no "/items/01")");
  CHECK(body("json: {/items/-: 7}", text) == R"(the JSON has no "/items/-")");
  CHECK(body("json: {/state/deeper: 7}", text) == R"(the JSON has no "/state/deeper")");
  CHECK(body("json: {/state: {exists: false}}", text) == R"(the JSON has "/state", which is not expected)");
  CHECK(body("json: {\"\": [1, 2]}", "[1, 2]") == "good");
  CHECK(body("json: {\"\": [1, 2]}", "[1]") == "in the JSON, the JSON is [1], not [1,2]");
  CHECK(body("json: {/state: done}", "<html>") == "the body is no JSON");
  CHECK(body("json: {/state: done}", "") == "the body is no JSON");
}

TEST_CASE("JSON that is nested without end is refused, not followed", "[job][expect]") {
  CHECK(body("json: {\"\": 1}", std::string(1'000'000, '[') + std::string(1'000'000, ']')) ==
        "the body is JSON of more than 512 levels");
}

TEST_CASE("what no answer could be held to is refused", "[job][expect]") {
  CHECK(faults("type: html") == "1:52 `html` is no media type");
  CHECK(faults("type: '*/*'") == "1:52 `*/*` is no media type");
  CHECK(faults("type: text/html; x=y") == "1:52 `text/html; x=y` is no media type");
  CHECK(faults("size: many") == "1:52 `many` is no size");
  CHECK(faults("body: {matches: '('}") == "1:62 `(` is no regular expression: Unmatched ( or \\(");
  CHECK(faults("json: {state: done}") == "1:53 `state` is no JSON pointer");
  CHECK(faults("json: {/a~2: done}") == "1:53 `/a~2` is no JSON pointer");
  CHECK(faults("json: {/a: {is: 1}}") == "1:58 unknown key `is`");
  CHECK(faults("json: {/a: {exists: false, equals: 1}}") == "1:57 what must not be there has no value");
  CHECK(faults("header: {a b: c}") == "1:55 `a b` is no name for a header");
  CHECK(faults("header: {X: {exists: false, equals: a}}") ==
        "1:58 a header that must not be there has no value");
  CHECK(faults("json: [/a]") == "1:52 expected a mapping, found a list");
}

TEST_CASE("a task's own expectations go over those of the defaults, key by key", "[job][expect]") {
  const Job job =
      job_of(yaml("defaults: {fetch: {expect: {type: a/b, json: {/x: 1}}}}\n"
                  "tasks: {a: {fetch: {url: http://a/, expect: {json: {/y: 2}}}}}\n"));
  const Expect& expect = *std::get<std::unique_ptr<const Fetch>>(job.tasks[0].action)->expect;
  CHECK(expect.types == std::vector<std::string>{"a/b"});
  REQUIRE(expect.json.size() == 1);
  CHECK(expect.json[0].pointer == "/y");
}
