#include "core/job/pages.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;

namespace {

/// "ITEMS -> NEXT", or what is wrong.
std::string page(std::string_view body, std::string items = "/items",
                 std::optional<std::string> next = "/next") {
  const auto page = read_page({std::move(next), std::move(items), {}}, body);
  return page ? page->items + " -> " + page->next.value_or("end") : page.error();
}

}  // namespace

TEST_CASE("items and the next page are found by pointers", "[job][pages]") {
  CHECK(page(R"({"items": [1, {"a": "]"}], "next": "/2"})") == R"(1, {"a": "]"} -> /2)");
  CHECK(page(R"([1,[2],"3"])", "", std::nullopt) == R"(1,[2],"3" -> end)");
  CHECK(page(R"( {"a/b": [[], [ true ]], "m": {"n": "x"}} )", "/a~1b/1", "/m/n") == "true -> x");
  CHECK(page(R"({"items": [ ], "next": "\u0041"})") == " -> A");
  CHECK(page(R"({"\u0069tems": ["a\"]"], "next": null})") == R"("a\"]" -> end)");
}

TEST_CASE("items keep their text, long numbers and all", "[job][pages]") {
  CHECK(page(R"({"items": [12345678901234567890123.10, "\u00e9"]})") ==
        R"(12345678901234567890123.10, "\u00e9" -> end)");
}

TEST_CASE("there is no next page where its pointer leads to nothing", "[job][pages]") {
  for (const char* next : {"null", "false", "\"\""})
    CHECK(page(R"({"items": [], "next": )" + std::string(next) + "}") == " -> end");
  CHECK(page(R"({"items": []})") == " -> end");
  CHECK(page(R"({"items": []})", "/items", "/items/01") == " -> end");
}

TEST_CASE("what is wrong with a page is told", "[job][pages]") {
  CHECK(page("<html>") == "a page is no JSON");
  CHECK(page("") == "a page is no JSON");
  CHECK(page("{}") == "there is no \"/items\" in a page");
  CHECK(page(R"({"items": {}})") == "\"/items\" in a page is no array");
  CHECK(page("{}", "") == "the page is no array");
  CHECK(page(R"({"items": [], "next": 2})") == "\"/next\" in a page is no URL, but of type number");
}

TEST_CASE("of several members of one name the last counts for both", "[job][pages]") {
  CHECK(page(R"({"items": [1], "items": [2]})") == "2 -> end");
}
