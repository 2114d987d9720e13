#include "core/job/document/core_schema.hpp"
#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace gather::job;

TEST_CASE("plain scalars have the types of YAML 1.2, not of 1.1", "[job][scalar]") {
  for (const auto* text : {"", "~", "null", "NULL"}) CHECK(type_of(text) == Type::null);
  for (const auto* text : {"true", "False", "TRUE"}) CHECK(type_of(text) == Type::boolean);
  for (const auto* text : {"0", "-1", "+1", "010", "0x1f", "0o17"}) CHECK(type_of(text) == Type::integer);
  for (const auto* text : {"1.5", ".5", "1.", "-1e-3", "1E+3", ".inf", "-.INF", ".nan"})
    CHECK(type_of(text) == Type::real);
  for (const auto* text :
       {"no", "on", "y", "1_000", "12:30", "0x", "0o8", "1e", "--1", ".", "+", "nUll", "0b1", "1.2.3"})
    CHECK(type_of(text) == Type::text);
}

TEST_CASE("numbers have their values", "[job][scalar]") {
  CHECK(to_integer("010") == 10);
  CHECK(to_integer("0x1F") == 31);
  CHECK(to_integer("0o17") == 15);
  CHECK(to_integer("+9223372036854775807") == 9223372036854775807);
  CHECK(to_integer("9223372036854775808") == std::nullopt);
  CHECK(to_integer("1.0") == std::nullopt);
  CHECK(to_real("-1.5e1") == -15.0);
  CHECK(to_real(".5") == 0.5);
  CHECK(to_real("1e999") == HUGE_VAL);
  CHECK(to_real("-1e-999") == 0.0);
  CHECK(to_real("-.inf") == -HUGE_VAL);
  CHECK(std::isnan(*to_real(".nan")));
  CHECK(to_real("no") == std::nullopt);
}

TEST_CASE("what other readers of YAML would not take for text is known", "[job][scalar]") {
  CHECK(misread_as("no") == "false");
  CHECK(misread_as("On") == "true");
  CHECK(misread_as("~") == "nothing");
  CHECK(misread_as("0644") == "an octal number");
  CHECK(misread_as("1:30") == "a number in base 60");
  CHECK(misread_as("190:20:30") == "a number in base 60");
  for (const auto* text : {"nO", "0", "10", "8080", "1:60", "1:", "a:1", "12:30:", "01x", "true", "1.5"})
    CHECK(misread_as(text) == "");
}

TEST_CASE("where text is wanted, a plain scalar is its source text", "[job][scalar]") {
  const Job job =
      job_of(yaml("env: {PORT: 8080, RATIO: 0.50, HEX: 0x1F, YES: true, BIG: 1e3}\n"
                  "tasks: {a: {run: [sleep, 1, 1_000, 'no']}}"));
  CHECK(job.env ==
        std::vector<NameValue>{
            {"PORT", "8080"}, {"RATIO", "0.50"}, {"HEX", "0x1F"}, {"YES", "true"}, {"BIG", "1e3"}});
  CHECK(std::get<Run>(job.tasks[0].action).argv == std::vector<std::string>{"sleep", "1", "1_000", "no"});
}

TEST_CASE("in JSON a number is text as it is written, true and null are not", "[job][scalar]") {
  CHECK(job_of(json(R"({"env": {"A": 0.50, "B": 1E3}, "tasks": {"a": {}}})")).env ==
        std::vector<NameValue>{{"A", "0.50"}, {"B", "1E3"}});
  CHECK(problems_of(json(R"({"env": {"A": true, "B": null}, "tasks": {"a": {}}})")) ==
        "1:15 expected text, found true\n1:26 expected text, found null\n");
}

TEST_CASE("a warning does not make a job unusable", "[job][scalar]") {
  const Loaded loaded = load_or_throw(yaml("env: {COUNTRY: no}\ntasks: {a: {sleep: 0}}"));
  CHECK(loaded.job.env == std::vector<NameValue>{{"COUNTRY", "no"}});
  CHECK(loaded.problems.size() == 1);
}

TEST_CASE("quoted text gives no warning", "[job][scalar]") {
  CHECK(problems_of(yaml("env: {A: 'no', B: \"1:30\", C: '010', D: \"\"}\ntasks: {a: {sleep: 0}}")) == "");
}
