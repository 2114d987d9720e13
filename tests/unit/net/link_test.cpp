#include "core/net/link.hpp"

#include <catch2/catch.hpp>

using namespace gather::net;

namespace {

std::string next(std::string_view header) { return link_target(header, "next").value_or("(none)"); }

}  // namespace

TEST_CASE("the next page is the link with that relation", "[net][link]") {
  CHECK(next("<https://h/?page=2>; rel=\"next\", <https://h/?page=9>; rel=\"last\"") == "https://h/?page=2");
  CHECK(next("<a>; rel=prev, <b>; title=\"x, <y>; rel=next\"; rel=next") == "b");
  CHECK(next("<a>;REL=\"last NEXT\"") == "a");
  CHECK(next(", ,<?p=2> ; rel = next ;") == "?p=2");
  CHECK(next("<>; rel=next") == "");
  CHECK(next("<a>; title=\"say \\\"rel=next\\\"\"; rel=next") == "a");
}

TEST_CASE("what is no link with that relation is none", "[net][link]") {
  for (const char* header :
       {"", "next", "<a>", "<a>; rel=last", "<a>; rel=nextish", "<a; rel=next", "<a>; title=next",
        "<a>; rel=next; anchor=\"#b\"", "<a>; rel=last; rel=next", "<a> rel=next", "<a>; rel=\"ne"})
    CHECK(next(header) == "(none)");
}
