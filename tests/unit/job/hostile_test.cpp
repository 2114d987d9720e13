/// Files that were made to hurt, or are merely very large: each is read or refused in time that grows with
/// its size.
#include "core/job/graph.hpp"
#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>
#include <limits.h>
#include <pthread.h>

#include <functional>

using namespace gather::job;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

/// The message of the one problem that a file has.
std::string refusal(const Source& source) {
  const Loaded loaded = load(source);
  REQUIRE(loaded.problems.size() == 1);
  return loaded.problems[0].message;
}

/// Runs `work` on a thread with 256 kB of stack, which recursion over a large job would overflow.
void on_small_stack(std::function<void()> work) {
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  pthread_t thread{};
  const auto run = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  const int error = pthread_create(&thread, &attributes, run, &work);
  if (error == 0) pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  REQUIRE(error == 0);  // Not while the thread runs: it makes assertions of its own.
}

std::string nested(std::string_view open, std::string_view close, std::size_t levels) {
  return repeated(open, levels) + "1" + repeated(close, levels);
}

const std::string too_deep = "lists and mappings are nested more than 64 deep";

}  // namespace

TEST_CASE("64 levels are read, 65 are refused", "[job][hostile]") {
  CHECK_NOTHROW(document_json(yaml(nested("[", "]", 64))));
  CHECK_NOTHROW(document_json(json(nested("[", "]", 64))));
  CHECK(refusal(yaml(nested("[", "]", 65))) == too_deep);
  CHECK(refusal(json(nested("[", "]", 65))) == too_deep);
  CHECK(refusal(json(nested("{\"a\":", "}", 65))) == too_deep);
}

TEST_CASE("a million levels are refused at the 65th", "[job][hostile]") {
  const std::string level = GENERATE("[", "{a: ", "- ", "? ", "{? ", "[[{a: ");
  CHECK(refusal(yaml(repeated(level, 1'000'000))) == too_deep);
}

TEST_CASE("a million levels of JSON are refused at the 65th", "[job][hostile]") {
  const std::string level = GENERATE("[", "{\"a\":");
  CHECK(refusal(json(repeated(level, 1'000'000))) == too_deep);
}

TEST_CASE("aliases may not go deeper than lists and mappings", "[job][hostile]") {
  CHECK(
      refusal(yaml("a: &a " + nested("[", "]", 40) + "\nb: " + nested("[", "]", 30).replace(30, 1, "*a"))) ==
      "with this alias filled in, " + too_deep);
}

TEST_CASE("aliases to aliases do not multiply without end", "[job][hostile]") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i)
    text += fmt::format("a{0}: &a{0} [{1}]\n", i, repeated(fmt::format("*a{}, ", i - 1), 9));
  CHECK(refusal(yaml(text)) == "aliases fill in more than 100,000 values or 256 MB of text");
}

TEST_CASE("aliases to one long text do not fill the memory", "[job][hostile]") {
  CHECK(refusal(yaml("a: &a " + std::string(10'000'000, 'x') + "\nb: [" + repeated("*a, ", 100) + "]")) ==
        "aliases fill in more than 100,000 values or 256 MB of text");
}

TEST_CASE("large defaults are not filled into very many tasks", "[job][hostile]") {
  std::string text = "defaults: {description: " + std::string(1'000'000, 'x') + "}\ntasks:\n";
  for (int i = 0; i < 10'000; ++i) text += fmt::format("  t{}: {{}}\n", i);
  CHECK(refusal(yaml(text)) == "`defaults` are too large to be filled into so many tasks");
}

TEST_CASE("fifty thousand keys, anchors, headers, directives and problems take no time", "[job][hostile]") {
  constexpr int many = 50'000;
  std::string keys = "env:\n", anchors = "tasks:\n",
              headers = "tasks: {a: {fetch: {url: http://a/, headers: {", directives, problems = "tasks: {";
  for (int i = 0; i < many; ++i) {
    keys += fmt::format("  KEY{}: 1\n", i);
    anchors += fmt::format("  a{0}: &a{0} {{sleep: 0}}\n", i);
    headers += fmt::format("H{}: 1, ", i);
    directives += fmt::format("%TAG !t{0}! tag:{0}\n", i);
    problems += fmt::format("t{}: {{sleap: 1}}, ", i);  // On one line, whose columns must be counted once.
  }
  CHECK(job_of(yaml(keys + "tasks: {a: {}}")).env.size() == many);
  CHECK(job_of(yaml(anchors)).tasks.size() == many);
  CHECK(load_or_throw(yaml(headers + "}}}}")).problems.empty());
  CHECK(refusal(yaml(directives + "---\ntasks: {}")) == "directives are not supported");
  const Source source = yaml(problems + "}");
  const Loaded loaded = load(source);
  CHECK(loaded.problems.size() == many);
  CHECK(render(source, loaded.problems).size() > many);
}

TEST_CASE("a chain of 100,000 tasks, listed backwards, fits on a small stack", "[job][hostile]") {
  constexpr std::size_t count = 100'000;
  std::string text = "tasks:\n";
  for (std::size_t i = 0; i < count; ++i)
    text += fmt::format("  t{}: {{needs: [t{}], sleep: 0}}\n", i, i + 1);
  text += fmt::format("  t{}: {{sleep: 0}}\n", count);
  on_small_stack([&] {
    const Job job = job_of(yaml(text));
    const std::vector<gather::Duration> lengths(job.tasks.size(), std::chrono::seconds(1));
    CHECK(topological_order(job).front() == TaskId{count});
    CHECK(upward_ranks(job, lengths)[count] == std::chrono::seconds(count + 1));
    CHECK(critical_path(job, lengths).size() == count + 1);
    CHECK(select(job_of(yaml(text)), std::vector<std::string>{"t5"}).tasks.size() == count - 4);
  });
}

TEST_CASE("a cycle of 10,000 tasks is named once and whole", "[job][hostile]") {
  constexpr int count = 10'000;
  std::string text = "tasks:\n";
  std::string names;
  for (int i = 0; i < count; ++i) {
    text += fmt::format("  t{}: {{needs: t{}}}\n", i, (i + 1) % count);
    names += fmt::format("t{} needs ", i);
  }
  on_small_stack([&] { CHECK(refusal(yaml(text)) == "these tasks wait for each other: " + names + "t0"); });
}

TEST_CASE("a task may need 100,000 others", "[job][hostile]") {
  constexpr std::size_t count = 100'000;
  std::string tasks = "tasks:\n", needs = "  all: {needs: [";
  for (std::size_t i = 0; i < count; ++i) {
    tasks += fmt::format("  t{}: {{sleep: 0}}\n", i);
    needs += fmt::format("t{}, ", i);
  }
  on_small_stack([&] { CHECK(job_of(yaml(tasks + needs + "]}\n")).tasks.back().needs.size() == count); });
}

TEST_CASE("100,000 unknown needs are told without comparing each with every task", "[job][hostile]") {
  std::string text = "tasks:\n";
  for (int i = 0; i < 100'000; ++i) text += fmt::format("  t{0}: {{needs: u{0}}}\n", i);
  CHECK(load(yaml(text)).problems.size() == 100'000);
}

TEST_CASE("a file of zeros is refused at the first", "[job][hostile]") {
  CHECK(refusal(yaml(std::string(10'000'000, '\0'))) == "a NUL byte: this is no text file");
}
