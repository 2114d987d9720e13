#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::job;

namespace {

struct OneFetch {
  explicit OneFetch(const std::string& fetch, const std::string& rest = "")
      : job(job_of(yaml("tasks: {a: {fetch: " + fetch + "}}\n" + rest))) {}
  const Fetch* operator->() const {
    return std::get<std::unique_ptr<const Fetch>>(job.tasks[0].action).get();
  }

  Job job;
};

std::string faults(const std::string& keys) {
  std::string text = problems_of(yaml("tasks: {a: {fetch: {url: http://a/, " + keys + "}}}\n"));
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("a query is encoded and joins that of the URL", "[job][fetch]") {
  CHECK(OneFetch("{url: http://a/, query: {q: 'a b&c=d', tag: [x, ä], n: 1}}")->url ==
        "http://a/?q=a%20b%26c%3Dd&tag=x&tag=%C3%A4&n=1");
  CHECK(OneFetch("{url: 'http://a/x?k=v#part', query: {q: 1}}")->url == "http://a/x?k=v&q=1#part");
  CHECK(OneFetch("{url: 'http://a/?', query: {q: 1}}")->url == "http://a/?q=1");
  CHECK(OneFetch("{url: http://a/, query: {q: 2}}", "defaults: {fetch: {query: {q: 1, lang: en}}}")->url ==
        "http://a/?lang=en&q=2");
}

TEST_CASE("a form is a body with its type, and makes a POST", "[job][fetch]") {
  const OneFetch fetch("{url: http://a/, form: {name: 'A & B', n: [1, 2]}}");
  CHECK(fetch->request->body == "name=A%20%26%20B&n=1&n=2");
  CHECK(fetch->request->headers ==
        std::vector<NameValue>{{"Content-Type", "application/x-www-form-urlencoded"}});
  CHECK(fetch->request->method == "POST");
}

TEST_CASE("files are parts of a body, each a path or more about it", "[job][fetch]") {
  const OneFetch fetch(
      "{url: http://a/, files: {photo: cat.jpg, table: {file: t.csv, type: text/csv}, title: {value: Cat}}}");
  CHECK(fetch->request->method == "POST");
  REQUIRE(fetch->request->files.size() == 3);
  CHECK(fetch->request->files[0].file == "cat.jpg");
  CHECK(fetch->request->files[1].type == "text/csv");
  CHECK(fetch->request->files[2].value == "Cat");
  CHECK_FALSE(fetch->request->files[2].file.has_value());
  // A task's body of another kind goes over the default one.
  CHECK(OneFetch("{url: http://a/, json: 1}", "defaults: {fetch: {files: {a: b}}}")->request->files.empty());
}

TEST_CASE("credentials point at a variable or a file", "[job][fetch]") {
  const OneFetch basic("{url: http://a/, auth: {basic: {user: me, password: {env: PASSWORD}}}}");
  const auto& login = std::get<BasicAuth>(basic->request->auth);
  CHECK(login.user == "me");
  CHECK(login.password.kind == SecretSource::Kind::environment);
  CHECK(login.password.name == "PASSWORD");
  const OneFetch bearer("{url: http://a/, auth: {bearer: {token: {file: secrets/token}}}}");
  CHECK(std::get<BearerAuth>(bearer->request->auth).token.name == "secrets/token");
}

TEST_CASE("between auth and a header Authorization the task's own holds", "[job][fetch]") {
  const std::string auth = "auth: {bearer: {token: {env: T}}}";
  const std::string header = "headers: {authorization: x}";
  const OneFetch own_header("{url: http://a/, " + header + "}", "defaults: {fetch: {" + auth + "}}");
  CHECK(std::holds_alternative<std::monostate>(own_header->request->auth));
  const OneFetch own_auth("{url: http://a/, " + auth + "}", "defaults: {fetch: {" + header + "}}");
  CHECK(std::holds_alternative<BearerAuth>(own_auth->request->auth));
  CHECK(own_auth->request->headers.empty());
  CHECK(faults(auth + ", " + header) == "1:37 there is a header Authorization as well");
}

TEST_CASE("a secret in the job file is refused, and not shown", "[job][fetch]") {
  for (const char* fetch :
       {"{url: http://a/, auth: {basic: {user: me, password: s3cret}}}", "{url: 'http://me:s3cret@a/'}",
        "{url: http://a/, auth: {bearer: {token: s3cret}}}", "{url: http://a/, auth: {bearer: s3cret}}",
        "{url: http://a/, auth: {bearer: {token: {env: s3cret-x}}}}",
        "{url: http://a/, proxy: 'me:s3cret@proxy:80'}"}) {
    const Source source = yaml(std::string("tasks:\n  a:\n    fetch: ") + fetch + "\n");
    const auto problems = load(source).problems;
    CHECK(problems.size() == 1);
    CHECK(render(source, problems).find("s3cret") == std::string::npos);
  }
  CHECK(faults("auth: {basic: {user: me, password: x}}") ==
        "1:62 `password` is a secret, and a job file is no place for one");
}

TEST_CASE("time, pace, route and trust of a request", "[job][fetch]") {
  const OneFetch fetch(
      "{url: https://a/, connect_timeout: 2s, stall_timeout: 500ms, limit_rate: 1M, redirects: 0,"
      " trust_redirects: true, http: 2, proxy: 'socks5h://127.0.0.1:1080', netrc: true, cacert: ca.pem,"
      " cert: {certificate: me.pem, key: me.key}, unix_socket: run/x.sock, resolve: a:443:127.0.0.1}");
  CHECK(fetch->transport->connect_timeout == 2s);
  CHECK(fetch->transport->stall_timeout == 500ms);
  CHECK(fetch->transport->limit_rate == 1'000'000);
  CHECK(fetch->transport->redirects == 0);
  CHECK(fetch->transport->trust_redirects);
  CHECK(fetch->transport->http == HttpVersion::two);
  CHECK(fetch->transport->proxy == "socks5h://127.0.0.1:1080");
  CHECK(fetch->transport->netrc);
  CHECK(fetch->transport->cacert == "ca.pem");
  CHECK(fetch->transport->cert->key == "me.key");
  CHECK(fetch->transport->unix_socket == "run/x.sock");
  CHECK(fetch->transport->resolve == std::vector<std::string>{"a:443:127.0.0.1"});
}

TEST_CASE("values of request keys that are none are refused", "[job][fetch]") {
  CHECK(faults("limit_rate: 5 apples") == "1:49 `5 apples` is no number of bytes");
  CHECK(faults("limit_rate: 0") == "1:49 nothing would ever arrive");
  CHECK(faults("http: 3") == "1:43 `3` is no version of HTTP that can be asked for");
  CHECK(faults("resolve: 'a:b:c'") == "1:46 `a:b:c` is not host:port:address");
  CHECK(faults("auth: {}") == "1:37 `auth` is either `basic` or `bearer`");
  CHECK(faults("auth: {basic: {user: me}}") == "1:44 `basic` needs a `user` and a `password`");
  CHECK(faults("cert: {key: k}") == "1:43 a key alone is not enough");
  CHECK(faults("files: {}") == "1:44 there is nothing to send");
  CHECK(faults("files: {a: {type: a/b}}") == "1:48 a part is a `file` or a `value`");
  CHECK(faults("body: x, form: {a: b}") == "1:46 a request has one body, and this one has `body` already");
}

TEST_CASE("insecure is warned of once for each place", "[job][fetch]") {
  CHECK(problems_of(yaml(
            "defaults: {fetch: {insecure: true}}\ntasks: {a: {fetch: http://a/}, b: {fetch: http://b/}}")) ==
        "1:20 certificates are not checked: anyone on the way can read and change what is fetched\n");
}
