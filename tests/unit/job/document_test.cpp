#include "core/job/document/document.hpp"

#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;

namespace {

/// Each scalar, list and mapping as "line:column+width text", keys before their values.
struct Outline {
  explicit Outline(const Source& source) : lines(body(source)) {
    Document document(body(source), source.format);
    Findings findings;
    REQUIRE(parse(source, lines, document, findings));
    add(document.root());
  }

  void add(Value value) {
    const Position at = lines.locate(value.extent().begin);
    const std::string shown = value.is_scalar() ? std::string(value.text()) : value.is_list() ? "[]" : "{}";
    text += fmt::format("{}:{}+{} {}\n", at.line, at.column, lines.width(value.extent()), shown);
    for (Value child = value.first(); child; child = child.next()) add(child);
  }

  Lines lines;
  std::string text;
};

std::string outline(const Source& source) { return Outline(source).text; }

}  // namespace

TEST_CASE("every key and value of a YAML file knows its place", "[job][document]") {
  CHECK(outline(yaml("tasks:\n"
                     "  a: {run: [echo, 'it''s'], \"env\": {}}\n"
                     "  b:\n"
                     "  - 1\n")) ==
        "1:1+1 {}\n"
        "1:1+5 tasks\n2:3+1 {}\n"
        "2:3+1 a\n2:6+1 {}\n"
        "2:7+3 run\n2:12+1 []\n2:13+4 echo\n2:19+7 it's\n"
        "2:29+5 env\n2:36+1 {}\n"
        "3:3+1 b\n4:3+1 []\n4:5+1 1\n");
}

TEST_CASE("every key and value of a JSON file knows its place", "[job][document]") {
  CHECK(outline(json("{ \"a\\n\" :[1.50,-2 ,\"x\\\"y\", true],\n"
                     "  \"b\": {\"c\": null } }\n")) ==
        "1:1+1 {}\n"
        "1:3+5 a\n\n1:10+1 []\n1:11+4 1.50\n1:16+2 -2\n1:20+6 x\"y\n1:28+4 true\n"
        "2:3+3 b\n2:8+1 {}\n2:9+3 c\n2:14+4 null\n");
}

TEST_CASE("columns count characters, and lines end in LF, CR LF or CR", "[job][document]") {
  CHECK(outline(yaml("ä: ü\r\n日本: x\ry: z\n")) ==
        "1:1+1 {}\n1:1+1 ä\n1:4+1 ü\n2:1+2 日本\n2:5+1 x\n3:1+1 y\n3:4+1 z\n");
  CHECK(outline(json("{\"ä\":\r\n\"日本\"}")) == "1:1+1 {}\n1:2+3 ä\n2:1+4 日本\n");
}

TEST_CASE("a byte order mark is no character of the text", "[job][document]") {
  CHECK(outline(yaml("\xef\xbb\xbf"
                     "a: b")) == "1:1+1 {}\n1:1+1 a\n1:4+1 b\n");
  CHECK(outline(json("\xef\xbb\xbf[1]")) == "1:1+1 []\n1:2+1 1\n");
}

TEST_CASE("text of several lines is folded or kept as YAML has it", "[job][document]") {
  CHECK(document_json(yaml("a: one\n  two\n\n  three\n"
                           "b: |\n  one\n  two\n"
                           "c: >-\n  one\n  two\n"
                           "d: \"one\\\n  two\\u00e4\"\n")) ==
        "{\n  \"a\": \"one two\\nthree\",\n  \"b\": \"one\\ntwo\\n\",\n  \"c\": \"one two\",\n  \"d\": "
        "\"onetwoä\"\n}\n");
}

TEST_CASE("an alias stands for what it names, and keeps a place of its own", "[job][document]") {
  CHECK(outline(yaml("a: &x [1]\nb: *x\nc: [*x, &y 2, *y]\n")) ==
        "1:1+1 {}\n"
        "1:1+1 a\n1:4+1 []\n1:8+1 1\n"
        "2:1+1 b\n2:4+2 []\n1:8+1 1\n"
        "3:1+1 c\n3:4+1 []\n3:5+2 []\n1:8+1 1\n3:9+4 2\n3:15+2 2\n");
}

TEST_CASE("an anchor may be given again, and the last one before the alias counts", "[job][document]") {
  CHECK(document_json(yaml("[&a 1, *a, &a 2, *a, &a [&a 3, *a], *a]")) ==
        document_json(yaml("[1, 1, 2, 2, [3, 3], 3]")));
}

TEST_CASE("a document is printed as JSON with the types of YAML's core schema", "[job][document]") {
  CHECK(
      document_json(yaml(
          "[~, null, True, FALSE, no, 010, 0x1F, 0o17, +1, 1_000, .5, 1., 1e3, 123456789012345678901, .inf, "
          "12:30, '1', \"\\x01é\"]")) ==
      document_json(json(
          "[null, null, true, false, \"no\", 10, 31, 15, 1, \"1_000\", 0.5, 1.0, 1e3, 123456789012345678901, "
          "\".inf\", \"12:30\", \"1\", \"\\u0001é\"]")));
  CHECK(document_json(json("[1.50, 1e3, -0, {}]")) == "[\n  1.50,\n  1e3,\n  -0,\n  {}\n]\n");
  CHECK(document_json(yaml("# nothing")) == "null\n");
}

TEST_CASE("a document is printed even if it is no valid job", "[job][document]") {
  CHECK(document_json(yaml("nonsense: [1, {a: b}]")) ==
        "{\n  \"nonsense\": [\n    1,\n    {\n      \"a\": \"b\"\n    }\n  ]\n}\n");
  CHECK_THROWS_WITH(document_json(yaml("a: [")), Catch::StartsWith("job.yaml:1:5: error: the file ends"));
}

TEST_CASE("a document may be framed by its version, `---`, `...` and comments", "[job][document]") {
  CHECK(problems_of(yaml("# first\n%YAML 1.2\n---\ntasks: {a: {}}\n...\n# last\n\n...\n")) == "");
}
