#include "core/job/fetch_job.hpp"
#include "core/job/url.hpp"
#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;

namespace {

/// The fetch of a job with one task.
struct OneFetch {
  explicit OneFetch(const std::string& fetch, const std::string& rest = "")
      : job(job_of(yaml("tasks: {a: {fetch: " + fetch + "}}\n" + rest))) {}
  const Fetch* operator->() const {
    return std::get<std::unique_ptr<const Fetch>>(job.tasks[0].action).get();
  }

  Job job;
};

}  // namespace

TEST_CASE("a fetch is a URL, or a mapping with one", "[job][fetch]") {
  CHECK(OneFetch("http://localhost:8080/a?b=c#d")->url == "http://localhost:8080/a?b=c#d");
  const OneFetch fetch(
      "{url: 'HTTPS://example.org', method: PUT, headers: {Accept: '*/*', X-N: 1}, body: hello, "
      "output: ./data//x, sha256: " +
      std::string(64, 'A') + ", expect: {status: [200, 304]}}");
  CHECK(fetch->url == "HTTPS://example.org");
  CHECK(fetch->request->method == "PUT");
  CHECK(fetch->request->headers == std::vector<NameValue>{{"Accept", "*/*"}, {"X-N", "1"}});
  CHECK(fetch->request->body == "hello");
  CHECK(fetch->output == "data/x");
  CHECK(fetch->checksum == Checksum{"sha256", std::string(64, 'a')});
  CHECK(fetch->expect->status.listed == std::vector<int>{200, 304});
}

TEST_CASE("several URLs of one file are mirrors, in their order", "[job][fetch][mirror]") {
  const OneFetch fetch("{urls: [http://a/f, http://b/f, http://c/f?x=1], query: {y: 2}}");
  CHECK(fetch->url == "http://a/f?y=2");
  CHECK(fetch->mirrors == std::vector<std::string>{"http://b/f?y=2", "http://c/f?x=1&y=2"});
  CHECK(OneFetch("{urls: [http://a/]}")->mirrors.empty());
  CHECK(OneFetch("{url: http://a/}", "defaults: {fetch: {urls: [http://b/, http://c/]}}")->mirrors.empty());
  CHECK(OneFetch("http://a/", "defaults: {fetch: {urls: [http://b/, http://c/]}}")->mirrors.empty());
  CHECK(OneFetch("{urls: [http://a/, http://b/]}", "defaults: {fetch: {url: http://c/}}")->url ==
        "http://a/");
}

TEST_CASE("dir is the folder of the output, or of a file named after the URL", "[job][fetch][named]") {
  CHECK(OneFetch("{url: 'http://h/a/b%20c.txt?x=1', dir: got}")->output == "got/b c.txt");
  CHECK(OneFetch("{url: http://h/a, dir: got/, output: x/y}")->output == "got/x/y");
  CHECK(OneFetch("{url: http://h/a, dir: .}")->output == "a");
  CHECK(OneFetch("http://h/a", "defaults: {fetch: {dir: got}}")->output == "got/a");
  CHECK(OneFetch("{urls: [http://h/a, http://i/b], dir: got}")->output == "got/a");
  const OneFetch late("{url: http://h/, dir: got, content_disposition: true}");
  CHECK((late->saving->named_in == "got" && !late->output));
  CHECK_FALSE(OneFetch("{url: http://h/a, dir: got, content_disposition: false}")->saving->named_in);
}

TEST_CASE("paginate says where the next page is and what is taken of each", "[job][fetch][pages]") {
  const OneFetch by_link("{url: http://h/, paginate: {next: link}}");
  CHECK((!by_link->paginate->next && by_link->paginate->items.empty() && !by_link->paginate->max));
  const OneFetch by_pointer("{url: http://h/, paginate: {next: /meta/next, items: /items, max: 5}}");
  CHECK(by_pointer->paginate->next == "/meta/next");
  CHECK(by_pointer->paginate->items == "/items");
  CHECK(by_pointer->paginate->max == 5U);
}

TEST_CASE("C63: two fetches may not be named alike after their URLs", "[job][fetch][named]") {
  const auto problems = [](const std::string& tasks) {
    return load(yaml("tasks: {" + tasks + "}")).problems.size();
  };
  CHECK(problems("a: {fetch: {url: http://h/x, dir: d}}, b: {fetch: {url: http://i/x, dir: d}}") == 1);
  CHECK(problems("a: {fetch: {url: http://h/x, dir: d}}, b: {fetch: {url: http://i/y, output: d/x}}") == 1);
  CHECK(problems("a: {fetch: {url: http://h/x, dir: d}}, b: {fetch: {url: http://i/x, dir: e}}") == 0);
}

TEST_CASE("a fetch goes on from its part unless it says otherwise", "[job][fetch]") {
  CHECK(OneFetch("http://a/")->saving->resume);
  CHECK_FALSE(OneFetch("{url: http://a/, output: x, resume: false}")->saving->resume);
}

TEST_CASE("a checksum is in hexadecimal, or in base64 as package locks have it", "[job][fetch]") {
  const auto checksum = [](const std::string& text) {
    return OneFetch("{url: http://a/, output: x, checksum: '" + text + "'}")->checksum;
  };
  CHECK(checksum("sha1:" + std::string(40, 'A')) == Checksum{"sha1", std::string(40, 'a')});
  CHECK(checksum("blake2b:" + std::string(128, '0')) == Checksum{"blake2b", std::string(128, '0')});
  CHECK(checksum("sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=") ==
        Checksum{"sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"});
  CHECK(OneFetch("{url: http://a/, output: x, checksums: SHA256SUMS}")->saving->checksums == "SHA256SUMS");

  const auto problems = [](const std::string& keys) {
    return load(yaml("tasks: {a: {fetch: {url: http://a/, output: x, " + keys + "}}}")).problems.size();
  };
  for (const std::string bad :
       {"sha256", "sha256:", "sha256:12", "sha3:00", "md5-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
        "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCR=",
        "sha256-LPJNul_wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "sha256-===="})
    CHECK(problems("checksum: '" + bad + "'") == 1);
  CHECK(problems("checksums: ''") == 1);
  CHECK(problems("checksums: 'http://'") == 1);
}

TEST_CASE("what becomes of the file is said in words, sizes and modes", "[job][fetch]") {
  const OneFetch fetch(
      "{url: http://a/, output: x, if_exists: fail, max_size: 10MB, mtime: true, mode: 0640, fsync: full}");
  CHECK(fetch->saving->if_exists == IfExists::fail);
  CHECK(fetch->saving->max_size == 10'000'000U);
  CHECK(fetch->saving->mtime);
  CHECK(fetch->saving->mode == 0640U);
  CHECK(fetch->saving->fsync == Fsync::full);
  CHECK(OneFetch("{url: http://a/, max_size: 500}")->saving->max_size == 500U);
  CHECK(OneFetch("{url: http://a/, max_size: 4MiB}")->saving->max_size == 4U * 1024 * 1024);
  CHECK(OneFetch("http://a/")->saving->if_exists == IfExists::verify);

  for (const std::string bad : {"if_exists: maybe", "max_size: -1", "max_size: 1.5MB", "max_size: 10 MB",
                                "max_size: MB", "max_size: 99999999999TB", "mode: 888", "mode: 64",
                                "mode: rw", "mode: 1777", "mtime: 3", "fsync: often"})
    CHECK(load(yaml("tasks: {a: {fetch: {url: http://a/, " + bad + "}}}")).problems.size() >= 1);
}

TEST_CASE("a fetch that sends something is a POST unless it says otherwise", "[job][fetch]") {
  CHECK(OneFetch("http://a/")->request->method == "GET");
  CHECK(OneFetch("{url: http://a/, body: x}")->request->method == "POST");
  CHECK(OneFetch("{url: http://a/, body: x, method: PATCH}")->request->method == "PATCH");
}

TEST_CASE("json is sent as JSON, and says so", "[job][fetch]") {
  const OneFetch fetch("{url: http://a/, json: {n: 1, list: [true, ~, 'no', 0x10], s: \"ä\\n\"}}");
  CHECK(fetch->request->body == R"({"n":1,"list":[true,null,"no",16],"s":"ä\n"})");
  CHECK(fetch->request->headers == std::vector<NameValue>{{"Content-Type", "application/json"}});
  CHECK(OneFetch("{url: http://a/, json: [], headers: {content-type: a/b}}")->request->headers ==
        std::vector<NameValue>{{"content-type", "a/b"}});
}

TEST_CASE("default fetch keys are joined with a task's own, headers by name", "[job][fetch]") {
  const std::string defaults =
      "defaults: {fetch: {headers: {Accept: a, X: x}, expect: {status: 200}, body: d}}";
  const OneFetch fetch("{url: http://a/, headers: {ACCEPT: b}, json: 1}", defaults);
  CHECK(fetch->request->headers ==
        std::vector<NameValue>{{"ACCEPT", "b"}, {"X", "x"}, {"Content-Type", "application/json"}});
  CHECK(fetch->request->body == "1");
  CHECK(fetch->expect->status.listed == std::vector<int>{200});
  CHECK(OneFetch("http://a/", defaults)->request->body == "d");
}

TEST_CASE("without a list any 2xx is success, with one only what it names", "[job][fetch]") {
  const ExpectedStatus usual;
  CHECK(usual.allows(200));
  CHECK(usual.allows(299));
  CHECK_FALSE(usual.allows(304));
  const ExpectedStatus named{{404}};
  CHECK(named.allows(404));
  CHECK_FALSE(named.allows(200));
}

TEST_CASE("http and https URLs with a host are good", "[job][url]") {
  const std::string url =
      GENERATE("http://a", "https://a.b:1/", "HTTP://A:65535", "http://[::1]", "http://[fe80::1]:80/x",
               "http://127.0.0.1?x", "http://a/%20?q=@#:", "http://münchen.example/ä");
  CHECK_FALSE(fault_in_url(url).has_value());
}

TEST_CASE("other URLs are refused", "[job][url]") {
  const std::string url =
      GENERATE("", "a", "//a/", "http:/a", "http:a", "file:///etc/passwd", "http://", "http://:80/",
               "http://a:0/", "http://a:65536/", "http://a:", "http://a:b/", "http://u@a/", "http://u:p@a/",
               "http://[]/", "http://[::1", "http://[::1]x", "http://a b/", "http://a/\tb", "http://a\\b/",
               "http://a\x7f/", "http://a<b/");
  CHECK(fault_in_url(url).has_value());
}

TEST_CASE("C63: two fetches may not write one file, however it is spelt", "[job][fetch]") {
  const std::string other = GENERATE("d/x", "./d/x", "d//x", "d/y/../x", "a/../d/x", "d/./x");
  CHECK(problems_of(yaml("tasks:\n"
                         "  a: {fetch: {url: http://a/, output: d/x}}\n"
                         "  b: {fetch: {output: " +
                         other + ", url: http://a/}}\n")) == "3:23 task `a` writes `d/x` too\n");
}

TEST_CASE("C63: a fetch may not write where the part of another is", "[job][fetch]") {
  CHECK(problems_of(yaml("tasks:\n"
                         "  a: {fetch: {url: http://a/, output: d/x.part}}\n"
                         "  b: {fetch: {url: http://a/, output: d/x}}\n")) ==
        "2:39 task `b` writes `d/x` under this name until it is whole\n");
  CHECK(written_for("d/x.part.meta") == "d/x");
  CHECK_FALSE(written_for("d/x").has_value());
  CHECK_FALSE(written_for("d/.part").has_value());
}

TEST_CASE("a body of one's own does not pass for the JSON of the defaults", "[job][fetch]") {
  const OneFetch fetch("{url: http://a/, body: x}", "defaults: {fetch: {json: {a: 1}}}");
  CHECK(fetch->request->body == "x");
  CHECK(fetch->request->headers.empty());
}
