#include "core/net/http_date.hpp"

#include <catch2/catch.hpp>

#include <string>

using gather::net::http_date;

TEST_CASE("a date is read in the form that servers send", "[net][date]") {
  CHECK(http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(http_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(http_date("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199);
}

TEST_CASE("a date is read in the older forms, too", "[net][date]") {
  CHECK(http_date("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(http_date("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(http_date("06 Nov 1994 08:49:37 +0100") == 784108177);
}

TEST_CASE("both ways of reading a date agree", "[net][date]") {
  for (const char* const form : {"Mon, {} 2023 00:00:07 GMT", "Sat, {} 2000 12:34:56 GMT"})
    for (const char* const day : {"01 Jan", "28 Feb", "31 Mar", "30 Apr", "15 Aug", "31 Dec"}) {
      std::string date = form;
      date.replace(date.find("{}"), 2, day);
      INFO(date);
      CHECK(http_date(date) == http_date(date.substr(5)));  // Without the day it is not the preferred form.
    }
}

TEST_CASE("what is no date is none", "[net][date]") {
  for (const char* const text : {"", "soon", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
                                 "Sun, 06 Foo 1994 08:49:37 GMT"}) {
    INFO(text);
    CHECK_FALSE(http_date(text));
  }
}
