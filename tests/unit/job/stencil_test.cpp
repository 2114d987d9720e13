// Templates in job files: what is filled in when, with what types, and what is refused.
#include "core/job/templates/stencil.hpp"

#include "core/job/graph.hpp"
#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>
#include <fmt/ranges.h>

#include <map>

using namespace gather::job;

namespace {

const Surroundings surroundings{.vars = {},
                                .environment = [](const std::string& name) -> std::optional<std::string> {
                                  if (name == "USER") return "ann";
                                  if (name == "N") return "7";
                                  return std::nullopt;
                                }};

Job filled(const Source& source) { return load_or_throw(source, surroundings).job; }

std::string problems(const Source& source, const Surroundings& given = surroundings) {
  std::string lines;
  for (const Problem& problem : load(source, given).problems)
    lines += fmt::format("{}:{} {}\n", problem.position.line, problem.position.column, problem.message);
  return lines;
}

using Outputs = std::map<std::string, std::string>;

/// The last task of the job, once "TASK.OUTPUT" have these values as JSON; or why it can't be.
std::expected<Task, std::string> last(const Job& job, const Outputs& outputs) {
  std::vector<std::shared_ptr<const ResultValue>> values;
  const Results results = [&](const ResultName& name) -> const ResultValue* {
    const auto value = outputs.find(name.task + "." + name.output);
    return value == outputs.end() ? nullptr
                                  : values.emplace_back(ResultValue::of(value->second).value()).get();
  };
  return job.tasks.back().stencil->fill(job.tasks.back(), results, "run-1");
}

std::string argv_of(const Task& task) {
  return fmt::format("{}", fmt::join(std::get<Run>(task.action).argv, "|"));
}
const Fetch& fetch_of(const Task& task) { return *std::get<std::unique_ptr<const Fetch>>(task.action); }

/// A job whose task b has this value, which names outputs of a: x, y and z.
Source waiting(std::string_view b) {
  return yaml(fmt::format(
      "tasks:\n  a: {{ run: [a], outputs: {{ x: 'stdout#/x', y: stdout, z: 'stdout#/z' }} }}\n  b: {}\n", b));
}

}  // namespace

TEST_CASE("vars and the environment are filled in before anything else is looked at", "[job][templates]") {
  const Job job =
      filled(yaml("vars: { who: [x, moon], n: 3, t: { a: \"v${{ env.N }}\" } }\n"
                  "limits: { jobs: \"${{ env.N }}\" }\n"
                  "env: { U: \"${{ env.USER }}\" }\n"
                  "tasks:\n"
                  "  a: { run: [echo, \"${{ vars.who[1] }}\", \"<${{ vars.n }}>\", \"${{ vars.t.a }}\"] }\n"
                  "  b: { run: \"${{ vars.who }}\", needs: [\"${{ 'a' }}\"] }\n"));
  CHECK(job.limits.jobs == 7);
  CHECK(job.env == std::vector<NameValue>{{"U", "ann"}});
  CHECK(argv_of(job.tasks[0]) == "echo|moon|<3>|v7");
  CHECK(argv_of(job.tasks[1]) == "x|moon");
  CHECK(job.tasks[1].needs == std::vector{TaskId(0)});
  CHECK(job.tasks[0].stencil == nullptr);
}

TEST_CASE("what is filled in keeps its type, and is never parsed", "[job][templates]") {
  const Job job = filled(yaml(
      "vars: { list: [1, two], map: { k: true }, tricky: \"}: [x, \\n${{ '${{' }} y\", digits: \"08\" }\n"
      "tasks:\n"
      "  a: { run: [cat, \"${{ vars.tricky }}\"], stdin: { json: [\"${{ vars.list }}\", \"${{ vars.map }}\", "
      "\"${{ vars.digits }}\", \"${{ env.N }}\"] } }\n"));
  CHECK(argv_of(job.tasks[0]) == "cat|}: [x, \n${{ y");
  CHECK(std::get<std::string>(job.tasks[0].input->from) == R"([[1,"two"],{"k":true},"08",7])");
}

TEST_CASE("a var that is given from outside is text, and goes before the file's", "[job][templates]") {
  const Source source = yaml(
      "vars: { a: \"${{ env.NOT_THERE }}\", b: \"${{ vars.a }}!\" }\n"
      "tasks: { t: { run: [echo, \"${{ vars.a }}\", \"${{ vars.b }}\"], priority: \"${{ vars.a }}\" } }\n");
  const Surroundings given{.vars = {{"a", "5"}}, .environment = surroundings.environment};
  const Job job = load_or_throw(source, given).job;
  CHECK(argv_of(job.tasks[0]) == "echo|5|5!");
  CHECK(job.tasks[0].priority == 5);
  CHECK(problems(yaml("vars: { a: 1 }\ntasks: { t: {} }"), {.vars = {{"b", "5"}}}) ==
        "1:7 `b` was given, and `vars` has no such name\n");
  CHECK(problems(yaml("tasks: { t: {} }"), {.vars = {{"b", "5"}}}) ==
        "1:1 `b` was given, and `vars` has no such name\n");
}

TEST_CASE("in a URL all but its beginning is percent-encoded", "[job][templates]") {
  const Job job =
      filled(yaml("vars: { base: \"http://h/a?b\", odd: \"x/../y?z&ä \" }\n"
                  "tasks:\n"
                  "  a: { fetch: \"${{ vars.base }}\" }\n"
                  "  b: { fetch: \"${{ vars.base }}=${{ vars.odd }}\" }\n"
                  "  c: { fetch: { urls: [\"http://h/${{ vars.odd }}\", \"http://g/\"], output: \"o/${{ "
                  "vars.odd }}\" } }\n"));
  CHECK(fetch_of(job.tasks[0]).url == "http://h/a?b");
  CHECK(fetch_of(job.tasks[1]).url == "http://h/a?b=x%2F..%2Fy%3Fz%26%C3%A4%20");
  CHECK(fetch_of(job.tasks[2]).url == "http://h/x%2F..%2Fy%3Fz%26%C3%A4%20");
  CHECK(fetch_of(job.tasks[2]).output == "o/y?z&ä ");
}

TEST_CASE("a task that names a result waits for it, and is filled in then", "[job][templates]") {
  const Job job = filled(
      waiting("{ run: [echo, \"${{ tasks.a.outputs.x }}\", \"<${{ tasks.a.outputs.y }}>\", "
              "\"${{ tasks.a.outputs.z.k[1] }}\", \"${{ run.id }}\"], cwd: \"${{ tasks.a.outputs.y }}\", "
              "env: { A: \"${{ tasks.a.outputs.x }}\", B: b }, priority: 3, timeout: 9 }"));
  const Task& task = job.tasks[1];
  CHECK(task.needs == std::vector{TaskId(0)});
  CHECK(
      argv_of(task) ==
      "echo|${{ tasks.a.outputs.x }}|<${{ tasks.a.outputs.y }}>|${{ tasks.a.outputs.z.k[1] }}|${{ run.id }}");
  const auto filled =
      last(job, {{"a.x", "1.50"}, {"a.y", R"("a \"b\" ${{ vars.q }}")"}, {"a.z", R"({"k": [0, "one"]})"}});
  REQUIRE(filled);
  CHECK(argv_of(*filled) == "echo|1.50|<a \"b\" ${{ vars.q }}>|one|run-1");
  CHECK(filled->cwd == "a \"b\" ${{ vars.q }}");
  CHECK(filled->env == std::vector<NameValue>{{"A", "1.50"}, {"B", "b"}});
  CHECK(filled->needs == task.needs);
  CHECK(filled->priority == 3);
  CHECK(filled->timeout == std::chrono::seconds(9));
  CHECK(filled->position == task.position);
}

TEST_CASE("every key of a fetch but its method may wait", "[job][templates]") {
  const Job job = filled(
      waiting("{ fetch: { url: \"${{ tasks.a.outputs.y }}\", query: { q: \"${{ tasks.a.outputs.x }}\" }, "
              "headers: { H: \"${{ tasks.a.outputs.x }}\" }, json: { v: [\"${{ tasks.a.outputs.z }}\"] }, "
              "dir: \"d${{ tasks.a.outputs.x }}\", max_size: \"${{ tasks.a.outputs.x }}\", "
              "expect: { json: { /n: \"${{ tasks.a.outputs.x }}\" } } } }"));
  CHECK(fetch_of(job.tasks[1]).url.empty());
  CHECK(fetch_of(job.tasks[1]).request->method == "POST");
  CHECK_FALSE(fetch_of(job.tasks[1]).output);
  const auto filled = last(job, {{"a.x", "5"}, {"a.y", R"("http://h/file")"}, {"a.z", R"({"k": false})"}});
  REQUIRE(filled);
  const Fetch& fetch = fetch_of(*filled);
  CHECK(fetch.url == "http://h/file?q=5");
  CHECK(fetch.request->headers.front() == NameValue{"H", "5"});
  CHECK(fetch.request->body == R"({"v":[{"k":false}]})");
  CHECK(fetch.request->method == "POST");
  CHECK(fetch.output == "d5/file");
  CHECK(fetch.saving->max_size == 5);
  CHECK(fetch.expect->json.front().equals == "5");
}

TEST_CASE("what is known of a task that waits is checked before anything starts", "[job][templates]") {
  CHECK(problems(waiting("{ run: [echo, \"${{ tasks.a.outputs.x }}\"], env: { \"A=\": 1 }, timeout: 0 }")) ==
        "3:56 `A=` is no name for an environment variable\n3:76 this duration must be longer than 0\n");
  CHECK(problems(
            waiting("{ fetch: { url: ftp://h/, headers: { A: \"${{ tasks.a.outputs.x }}\" }, mode: 9 } }")) ==
        "3:22 `ftp://` is not supported\n3:82 `9` is no mode\n");
  CHECK(
      problems(yaml(
          "tasks:\n"
          "  a: { fetch: { url: http://h/, output: f }, outputs: { x: status } }\n"
          "  b: { fetch: { url: http://h/, output: f, headers: { A: \"${{ tasks.a.outputs.x }}\" } } }\n")) ==
      "3:41 task `a` writes `f` too\n");
}

TEST_CASE("what can't be filled in says why, with its place in the file", "[job][templates]") {
  const auto why = [](std::string_view task, const Outputs& outputs) {
    const auto filled = last(load_or_throw(waiting(task), surroundings).job, outputs);
    return filled ? "filled in" : filled.error();
  };
  CHECK(why("{ run: [\"${{ tasks.a.outputs.x }}\"] }", {{"a.x", "null"}}) ==
        "`tasks.a.outputs.x` is null: its JSON says so, or the server was not asked for it (job.yaml:3:14)");
  CHECK(why("{ run: [\"${{ tasks.a.outputs.x }}\"] }", {{"a.x", "[]"}}) ==
        "`tasks.a.outputs.x` is a list, and of a result that can stand below `json` alone (job.yaml:3:14)");
  CHECK(why("{ run: [\"-${{ tasks.a.outputs.x }}\"] }", {{"a.x", "{}"}}) ==
        "`tasks.a.outputs.x` is a mapping, which can't be part of a text (job.yaml:3:14)");
  CHECK(why("{ run: [\"${{ tasks.a.outputs.x[2] }}\"] }", {{"a.x", "[1]"}}) ==
        "there is no `tasks.a.outputs.x[2]` (job.yaml:3:14)");
  CHECK(why("{ run: [\"${{ tasks.a.outputs.x }}\"] }", {{"a.x", R"("a\u0000b")"}}) ==
        "a NUL character is not allowed here (job.yaml:3:14)");
  CHECK(why("{ fetch: \"${{ tasks.a.outputs.x }}\" }", {{"a.x", R"("no url")"}}) ==
        "a URL can't hold blanks or control characters (job.yaml:3:15)");
  CHECK(why("{ fetch: \"http://${{ tasks.a.outputs.x }}/\" }", {{"a.x", R"("evil.org/a")"}}) == "filled in");
  CHECK(why("{ fetch: { url: http://h/, output: \"${{ tasks.a.outputs.x }}\" } }",
            {{"a.x", R"("../../etc/passwd")"}}) ==
        "this file is outside the folder of the job file (job.yaml:3:41)");
  CHECK(why("{ fetch: { url: http://h/, headers: { A: \"${{ tasks.a.outputs.x }}\" } } }",
            {{"a.x", R"("a\r\nB: c")"}}) != "filled in");
}

TEST_CASE("a limit that is passed deep inside is one error, in the file as in a result", "[job][templates]") {
  std::string list = "[";
  for (int i = 0; i < 60'000; ++i) list += fmt::format("{}{{\"a\": {}}}", i == 0 ? "" : ", ", i);
  list += "]";
  const std::string too_much = "templates fill in more than 100,000 values or 256 MB of text";
  CHECK(problems(yaml(fmt::format("vars: {{ l: {} }}\ntasks: {{ t: {{ run: [a], stdin: {{ json: [{{ k: "
                                  "\"${{{{ vars.l }}}}\" }}, 1] }} }} }}",
                                  list)))
            .ends_with(too_much + "\n"));
  const auto made =
      last(filled(waiting("{ run: [a], stdin: { json: [{ k: [\"${{ tasks.a.outputs.x }}\", 2] }, 1] } }")),
           {{"a.x", list}});
  REQUIRE(!made);
  CHECK(made.error().starts_with(too_much));
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  CHECK(problems(yaml(fmt::format("vars: {{ d: {} }}\ntasks: {{ t: {{ run: [a], stdin: {{ json: [[{{ k: "
                                  "\"${{{{ vars.d }}}}\" }}], 1] }} }} }}",
                                  deep)))
            .ends_with("lists and mappings are nested more than 64 deep\n"));
}

TEST_CASE("what is known of a text that waits is checked before", "[job][templates]") {
  CHECK(problems(yaml("vars: { l: [1] }\ntasks:\n  a: { run: [a], outputs: { x: stdout } }\n"
                      "  b: { run: [a, \"${{ vars.l }} ${{ tasks.a.outputs.x }}\"] }\n")) ==
        "4:17 `vars.l` is a list, which can't be part of a text\n");
}

TEST_CASE("tasks that wait for each other's results are a cycle, at the template that closes it",
          "[job][templates]") {
  CHECK(problems(yaml("tasks:\n"
                      "  a: { run: [echo, \"${{ tasks.b.outputs.x }}\"], outputs: { x: stdout } }\n"
                      "  b: { run: [echo, \"${{ tasks.a.outputs.x }}\"], outputs: { x: stdout } }\n")) ==
        "2:20 these tasks wait for each other: a needs b needs a\n");
}

TEST_CASE("templates that would fill in too much are refused", "[job][templates]") {
  std::string vars = "vars:\n  v0: [a, a, a, a, a, a, a, a, a, a]\n";
  for (int i = 1; i < 8; ++i) {
    vars += fmt::format("  v{}: [", i);
    for (int n = 0; n < 10; ++n) vars += fmt::format("{}\"${{{{ vars.v{} }}}}\"", n == 0 ? "" : ", ", i - 1);
    vars += "]\n";
  }
  CHECK(problems(yaml(vars + "tasks: { t: { run: [echo] } }")) ==
        "6:134 templates fill in more than 100,000 values or 256 MB of text\n");
  std::string text = "vars:\n  v0: 0123456789abcdef\n";
  for (int i = 1; i < 40; ++i)
    text += fmt::format("  v{}: \"${{{{ vars.v{} }}}}${{{{ vars.v{} }}}}\"\n", i, i - 1, i - 1);
  CHECK(problems(yaml(text + "tasks: { t: { run: [echo] } }"))
            .ends_with("templates fill in more than 100,000 values or 256 MB of text\n"));
}

TEST_CASE("only the tasks named are kept, and read the results that they read before", "[job][templates]") {
  const Job job =
      select(filled(yaml("tasks:\n"
                         "  other: { run: [o], outputs: { x: stdout } }\n"
                         "  a: { run: [a], outputs: { x: stdout } }\n"
                         "  b: { run: [b, \"${{ tasks.a.outputs.x }}\"], stdin: { task: a } }\n")),
             std::vector<std::string>{"b"});
  CHECK(job.tasks.size() == 2);
  CHECK(std::get<StandardInput::Of>(job.tasks[1].input->from).task == TaskId(0));
  const auto filled = last(job, {{"a.x", R"("y")"}, {"other.x", R"("n")"}});
  REQUIRE(filled);
  CHECK(argv_of(*filled) == "b|y");
  CHECK(filled->input == job.tasks[1].input);
}

TEST_CASE("no value from outside becomes a script, not even as part of a var", "[job][templates]") {
  const std::string refused = "a template inside `shell` would let its value run as a program\n";
  const Surroundings given{.vars = {{"y", "$(id)"}}, .environment = surroundings.environment};
  CHECK(problems(
            yaml("vars: { y: safe, t: { shell: \"echo ${{ vars.y }}\" } }\ntasks: { b: \"${{ vars.t }}\" }"),
            given) == "2:13 " + refused);
  CHECK(problems(yaml("vars: { t: { b: { shell: \"${{ env.USER }}\" } } }\ntasks: \"${{ vars.t }}\"")) ==
        "2:8 " + refused);
  CHECK(problems(yaml("vars: { t: { shell: echo hi } }\ntasks: { b: \"${{ vars.t }}\" }")) ==
        "2:13 " + refused);
}

TEST_CASE("a result can't say what is done: lists and mappings stand below json alone", "[job][templates]") {
  const std::string map =
      R"({"url": "http://h/", "files": {"p": "/etc/hostname"}, "env": "SECRET", "file": "/etc/passwd", "task": "a"})";
  const std::string refused =
      "`tasks.a.outputs.x` is a mapping, and of a result that can stand below `json` alone (job.yaml:3:";
  for (const char* const task :
       {"{ fetch: \"${{ tasks.a.outputs.x }}\" }", "{ run: [cat], stdin: \"${{ tasks.a.outputs.x }}\" }",
        "{ run: [env], env: \"${{ tasks.a.outputs.x }}\" }",
        "{ fetch: { url: http://h/, headers: \"${{ tasks.a.outputs.x }}\" } }",
        "{ fetch: { url: http://h/, files: { z: \"${{ tasks.a.outputs.x }}\" } } }",
        "{ fetch: { url: http://h/, auth: { basic: { user: u, password: \"${{ tasks.a.outputs.x }}\" } } } "
        "}"}) {
    INFO(task);
    const auto made = last(filled(waiting(task)), {{"a.x", map}});
    REQUIRE(!made);
    CHECK(made.error().starts_with(refused));
  }
  CHECK(!last(filled(waiting("{ run: \"${{ tasks.a.outputs.x }}\" }")), {{"a.x", R"(["sh", "-c", "id"])"}}));
  const auto urls = last(filled(waiting("{ fetch: { urls: \"${{ tasks.a.outputs.x }}\", output: f } }")),
                         {{"a.x", R"(["http://h/", "http://g/"])"}});
  REQUIRE(urls);
  CHECK(fetch_of(*urls).mirrors == std::vector<std::string>{"http://g/"});
}

TEST_CASE("a result may be a secret, but not name one", "[job][templates]") {
  const auto auth = [](std::string_view text) {
    return last(filled(waiting(fmt::format("{{ fetch: {{ url: http://h/, auth: {} }} }}", text))),
                {{"a.x", R"("t0ken")"}});
  };
  const auto bearer = auth("{ bearer: { token: \"${{ tasks.a.outputs.x }}\" } }");
  REQUIRE(bearer);
  const auto& token = std::get<BearerAuth>(fetch_of(*bearer).request->auth).token;
  CHECK(token.kind == SecretSource::Kind::given);
  CHECK(token.name == "t0ken");
  const auto basic = auth("{ basic: { user: \"${{ tasks.a.outputs.x }}\", password: \"${{ env.USER }}\" } }");
  REQUIRE(basic);
  CHECK(std::get<BasicAuth>(fetch_of(*basic).request->auth).user == "t0ken");
  CHECK(std::get<BasicAuth>(fetch_of(*basic).request->auth).password.name == "ann");
  const auto refused = [](std::string_view text) {
    return problems(waiting(fmt::format("{{ fetch: {{ url: http://h/, {} }} }}", text)))
        .contains("this is needed before any task has run");
  };
  CHECK(refused("auth: { bearer: { token: { env: \"${{ tasks.a.outputs.x }}\" } } }"));
  CHECK(refused("auth: { basic: { user: u, password: { file: \"${{ tasks.a.outputs.x }}\" } } }"));
  CHECK(refused("cert: { certificate: \"${{ tasks.a.outputs.x }}\" }"));
  CHECK(problems(waiting("{ fetch: { url: http://h/, auth: { bearer: { token: t0ken } } } }"))
            .contains("is a secret, and a job file is no place for one"));
}

TEST_CASE("nothing that is known later is found missing", "[job][templates]") {
  for (const char* const keys : {"files: { x: { file: \"${{ tasks.a.outputs.x }}\" } }",
                                 "files: { x: { value: \"-${{ tasks.a.outputs.x }}\" } }",
                                 "dir: \"${{ tasks.a.outputs.x }}\", checksums: list",
                                 "paginate: { next: link, items: \"${{ tasks.a.outputs.x }}\" }",
                                 "expect: { header: { A: \"${{ tasks.a.outputs.x }}\" } }",
                                 "query: { q: \"${{ tasks.a.outputs.x }}\" }"}) {
    INFO(keys);
    CHECK(problems(waiting(fmt::format("{{ fetch: {{ url: http://h/f, {} }} }}", keys))).empty());
  }
  CHECK(problems(waiting("{ run: [a], timeout: \"${{ tasks.a.outputs.x }}%\" }")) ==
        "3:27 this is needed before any task has run, and `tasks` and `run` are known only then\n");
}

TEST_CASE("what is filled into a URL stays in its part of it", "[job][templates]") {
  const auto url = [](std::string_view text, std::string_view x) {
    const auto made = last(filled(waiting(fmt::format("{{ fetch: \"{}\" }}", text))),
                           {{"a.x", fmt::format("\"{}\"", x)}, {"a.y", "\"\""}});
    return made ? fetch_of(*made).url : made.error();
  };
  CHECK(url("http://h/v1/${{ tasks.a.outputs.x }}/d", "..") ==
        "a `.` or `..` that is filled in makes another path of `http://h/v1/../d` (job.yaml:3:15)");
  CHECK(url("http://h/v1/.${{ tasks.a.outputs.x }}/d", ".").starts_with("a `.` or `..`"));
  CHECK(url("http://h/a/../${{ tasks.a.outputs.x }}/d", "...") == "http://h/a/../.../d");
  CHECK(url("${{ tasks.a.outputs.x }}/b", "http://h/a/..") == "http://h/a/../b");
  CHECK(url("${{ tasks.a.outputs.y }}${{ tasks.a.outputs.x }}", "http://h/")
            .starts_with("`http%3A%2F%2Fh%2F` is no URL"));
  CHECK(url("http://${{ tasks.a.outputs.x }}/b", "127.0.0.1:80") == "http://127.0.0.1:80/b");
  CHECK(url("http://h/?q=${{ tasks.a.outputs.x }}", "..&r=1") == "http://h/?q=..%26r%3D1");
}

TEST_CASE("a template is one however its letters are written, and JSON needs no quotes for what is filled in",
          "[job][templates]") {
  CHECK(problems(yaml("tasks: { t: { run: [echo, \"\\u0024{{ nope.x }}\"] } }")) ==
        "1:27 `nope` is nothing that a template can name\n");
  const Job job =
      filled(json(R"({"vars": {"t": true}, "tasks": {"a": {"run": ["echo", "${{ vars.t }}", "\\"]}}})"));
  CHECK(argv_of(job.tasks[0]) == "echo|true|\\");
}

TEST_CASE("one fault in vars is one error, where it stands", "[job][templates]") {
  CHECK(
      problems(yaml(
          "vars: { c: \"${{ vars.d }}\", d: 1, n: null }\ntasks: { t: { run: [a, \"${{ vars.c }}\"] } }")) ==
      "1:12 there is no `vars.d`\n");
}
