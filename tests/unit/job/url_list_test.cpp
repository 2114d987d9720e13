#include "core/job/url_list.hpp"

#include "core/job/fetch_job.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace gather::job;

namespace {

std::string shown(std::string_view text) {
  UrlList list;
  read_url_list("list", text, list);
  std::string result;
  for (const UrlEntry& entry : list.entries)
    result += fmt::format("{} {} {} {}\n", entry.place.spell(), entry.url, entry.output.value_or("-"),
                          entry.sha256 ? entry.sha256->substr(0, 4) : "-");
  for (const std::string& problem : list.problems) result += problem + "\n";
  return result;
}

const std::string sum = "ABCD" + std::string(60, '0');

std::string name(std::string_view url) {
  const auto name = name_after(url);
  return name ? *name : "refused: " + name.error();
}

}  // namespace

TEST_CASE("a list's line is a URL, an output, a checksum; or a JSON object", "[job][fetch]") {
  CHECK(shown("http://a/x\n\r\nhttp://a/y\tdir/y\r\nhttp://a/z\t\tsha256:" + sum) ==
        "list:1 http://a/x - -\nlist:3 http://a/y dir/y -\nlist:4 http://a/z - abcd\n");
  CHECK(shown(R"({"sha256": ")" + sum + R"(", "url": "http://a/x", "output": "é"})") ==
        "list:1 http://a/x é abcd\n");
  CHECK(shown("") == "");
}

TEST_CASE("an object of a list may name mirrors in place of its URL", "[job][fetch][mirror]") {
  UrlList list;
  read_url_list("list", R"({"urls": ["http://a/x", "http://b/x"], "output": "y"})", list);
  REQUIRE(list.entries.size() == 1);
  CHECK(list.entries[0].url == "http://a/x");
  CHECK(list.entries[0].mirrors == std::vector<std::string>{"http://b/x"});
  CHECK(shown(R"({"url": "http://a/", "urls": ["http://b/"]})") ==
        "list:1: this object has both \"url\" and \"urls\"\n");
  CHECK(shown(R"({"urls": []})") == "list:1: \"urls\" is a list of URLs\n");
  CHECK(shown(R"({"urls": ["http://a/", 1]})") == "list:1: \"urls\" is a list of URLs\n");
  CHECK(shown(R"({"urls": ["http://a/", "http://a/"]})") == "list:1: \"urls\" has a URL twice\n");
  CHECK_THAT(shown(R"({"urls": ["http://a/", "ftp://b/"]})"), Catch::Contains("list:1: "));
}

TEST_CASE("every problem of a list is told with its line", "[job][fetch]") {
  const std::string problems = shown(
      "# "
      "x\nhttp://a/\ta\tb\tc\nhttp://a/\ta\tmd5:1\nhttp://a/"
      "\ta\tsha256:1\n{\n{\"url\":1}\n{\"urk\":\"\"}\n{}\n"
      R"({"url":"http://a/","url":"http://b/"})"
      "\n[1]\n http://a/\n");
  for (const char* each :
       {"list:1: a list has no comments", "list:2: a line has at most three fields",
        "list:3: the third field", "list:4: a SHA-256 is 64", "list:5: this is no JSON object",
        "list:6: \"url\" is text", "list:7: unknown key \"urk\"; did you mean \"url\"?",
        "list:8: this object has no \"url\"", "list:9: the key \"url\" is there twice",
        "list:10: `[1]` is no URL", "list:11: a URL can't hold blanks"})
    CHECK_THAT(problems, Catch::Contains(each));
}

TEST_CASE("no problem repeats a password", "[job][fetch]") {
  for (const char* url :
       {"http://me:secret@host/", "me:secret@host/x", "ftp://me:secret@host/", "me:secret@"}) {
    const auto problem = problem_with_url(url);
    REQUIRE(problem);
    CHECK(problem->find("secret") == std::string::npos);
  }
}

TEST_CASE("a line of a list reads back as the same entry", "[job][fetch]") {
  for (const std::string line : {"http://a/x\n", "http://a/x\ta/b\n",
                                 "{\"urls\":[\"http://a/x\",\"http://b/x\"],\"output\":\"y\"}\n"}) {
    UrlList list;
    read_url_list("list", line, list);
    REQUIRE(list.entries.size() == 1);
    CHECK(list_line(list.entries[0]) == line);
  }
}

TEST_CASE("a file is named after the last part of the URL's path, decoded", "[job][fetch]") {
  CHECK(name("http://a/b/c.tar.gz?d=/e#/f") == "c.tar.gz");
  CHECK(name("http://a/%C3%A9%20b%2") == "é b%2");
  CHECK(name("http://a/100%") == "100%");
  CHECK(name("http://a/" + std::string(255, 'x')) == std::string(255, 'x'));
  for (const std::string url :
       {"http://a", "http://a/", "http://a/b/", "http://a/?x", "http://a/.", "http://a/%2e%2E",
        "http://a/b%2Fc", "http://a/b%00", "http://a/b%0ac", "http://a/.bashrc", "http://a/%2Ebashrc"})
    CHECK_THAT(name(url), Catch::StartsWith("refused: "));
  CHECK_THAT(name("http://a/" + std::string(256, 'x')), Catch::StartsWith("refused: "));
}

TEST_CASE("an output stays below the folder", "[job][fetch]") {
  CHECK(path_below("a/./b/../c").value() == "a/c");
  CHECK(path_below(".config").value() == ".config");
  for (const std::string output :
       {"", ".", "..", "/etc/passwd", "../a", "a/../../b", "a/", "a\nb", "-", "a/..", "x\x7f"})
    CHECK_FALSE(path_below(output));
  CHECK_FALSE(path_below("a/" + std::string(256, 'x')));
}

TEST_CASE("two URLs can't have the same file, nor one below the other's", "[job][fetch]") {
  const auto problems = [](std::string_view text) {
    UrlList list;
    read_url_list("list", text, list);
    return fmt::format("{}", fmt::join(fetch_job(list.entries, {}, Bodies::files).problems, "\n"));
  };
  CHECK(problems("http://a/x\nhttp://a/y\n") == "");
  CHECK_THAT(problems("http://a/x\nhttp://b/x\n"),
             Catch::StartsWith("list:2: this is saved as \"x\", and so is list:1"));
  CHECK_THAT(problems("http://a/x\nhttp://b/y\t./x\n"), Catch::StartsWith("list:2: "));
  CHECK_THAT(problems("http://a/x\t\nhttp://b/y\tx/y/z\n"),
             Catch::StartsWith("list:2: this is saved as \"x/y/z\", below the file of list:1"));
  // C63: nor one where the other's part is.
  CHECK(problems("http://a/x.part\nhttp://b/x\n") ==
        "list:1: this is saved as \"x.part\", where the file of list:2 is written until it is whole");
  CHECK(problems("http://a/d/x\td/x\nhttp://b/y\td/x.part.meta\n") ==
        "list:2: this is saved as \"d/x.part.meta\", where the file of list:1 is written until it is whole");
  CHECK(problems("http://a/x.part\nhttp://b/y\n") == "");
}
