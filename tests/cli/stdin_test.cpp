// `stdin:` of a task: text, a file, JSON, another task's output.
#include "tests/cli/program.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::test;

TEST_CASE("a task reads the text, the file or the JSON that its stdin names, to the last byte",
          "[cli][stdin]") {
  Gather gather;
  gather.file("sub/gather.yaml",
              "tasks:\n"
              "  text: { run: [cat], stdin: \"one\\ntwo\" }\n"
              "  file: { needs: text, cwd: /, run: [cat], stdin: { file: data/in } }\n"
              "  json: { needs: file, run: [cat], stdin: { json: { a: [1, x] } } }\n"
              "  none: { needs: json, shell: 'cat; echo end' }\n");
  gather.file("sub/data/in", "\n from a file\n");
  const Ending ending = gather.run({"-q", "sub/gather.yaml"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "one\ntwo\n from a file\n{\"a\":[1,\"x\"]}end\n");
}

TEST_CASE("a task reads what another has written, in every mode, and starts after it", "[cli][stdin]") {
  const std::string mode = GENERATE("group", "stream", "quiet");
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks:\n"
      "  count:  { run: [wc, -c], stdin: { task: much } }\n"
      "  sum:    { shell: 'md5sum > sum', stdin: { task: much } }\n"
      "  much:   { shell: 'head -c 3000000 /dev/zero > copy; echo >> copy; cat copy; echo why >&2' }\n"
      "  silent: { shell: 'cat; echo nothing > silent', stdin: { task: sum } }\n");
  const Ending ending = gather.run({"--progress", "none", "--output", mode});
  CHECK(ending.status == 0);
  if (mode != "quiet") CHECK((ending.out == std::string(3'000'000, '\0') + "\n3000001\n"));
  Program sum({{"md5sum", "copy"}, gather.folder().path(), {}, ""});
  CHECK(sum.end().out.substr(0, 32) == gather.folder().read("sum").substr(0, 32));
  CHECK(gather.folder().read("silent") == "nothing\n");
}

TEST_CASE("a further attempt reads it all again; of a repeated task the last output counts", "[cli][stdin]") {
  Gather gather;
  gather.file("gather.yaml",
              "defaults: { retry: { attempts: 3, delay: 1ms } }\n"
              "tasks:\n"
              "  from: { shell: 'echo attempt $GATHER_ATTEMPT; [ $GATHER_ATTEMPT = 2 ]' }\n"
              "  to:   { shell: 'cat; [ $GATHER_ATTEMPT = 2 ]', stdin: { task: from } }\n"
              "  text: { needs: to, shell: 'cat; [ $GATHER_ATTEMPT = 3 ]', stdin: \"text\\n\" }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "attempt 2\nattempt 2\ntext\n");
}

TEST_CASE("a task reads the body of a fetch, which is shown nowhere else", "[cli][stdin][fetch]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.target == "/long") return ScriptedServer::Reply{response(200, std::string(300'000, 'x'))};
    const char* const headers =
        request.target == "/named" ? "Content-Disposition: attachment; filename=by_server\r\n" : "";
    return ScriptedServer::Reply{response(200, "body of " + request.target + "\n", headers)};
  });
  Gather gather;
  gather.file("sub/gather.yaml", fmt::format(R"(
tasks:
  memory: {{ fetch: {{ url: "{0}/memory", expect: {{ body: memory }} }} }}
  a: {{ run: [cat], stdin: {{ task: memory }} }}
  file: {{ needs: a, fetch: {{ url: "{0}/file", output: out/file }} }}
  b: {{ cwd: /, run: [cat], stdin: {{ task: file }} }}
  named: {{ needs: b, fetch: {{ url: "{0}/named", dir: files, content_disposition: true }} }}
  c: {{ run: [cat], stdin: {{ task: named }} }}
  again: {{ needs: [b, c], run: [cat], stdin: {{ task: memory }} }}
  long: {{ needs: again, fetch: "{0}/long" }}
  count: {{ run: [wc, -c], stdin: {{ task: long }} }}
)",
                                             server.url("")));
  const Ending ending = gather.run({"-q", "sub/gather.yaml"});
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(ending.out == "body of /memory\nbody of /file\nbody of /named\nbody of /memory\n300000\n");
  CHECK(gather.folder().read("sub/files/by_server") == "body of /named\n");
}

TEST_CASE("a body above 16 MB without a file fails its fetch, and keeps its reader from starting",
          "[cli][stdin][fetch]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return ScriptedServer::Reply{response(200, std::string(16'000'001, 'x'))};
  });
  Gather gather;
  gather.file("gather.yaml", fmt::format("tasks:\n"
                                         "  large: {{ retry: 0, fetch: \"{}\" }}\n"
                                         "  count: {{ run: [wc, -c], stdin: {{ task: large }} }}\n",
                                         server.url("/large")));
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 1);
  CHECK(ending.out.empty());
  CHECK_THAT(ending.err, Catch::Contains("longer than 16 MB; name an `output` file for it"));
}

TEST_CASE("a file that can't be read fails its task, and says which", "[cli][stdin]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  gone:   { run: [cat], stdin: { file: nowhere } }\n"
              "  folder: { run: [cat], stdin: { file: . } }\n"
              "  good:   { run: [echo, good] }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 1);
  CHECK(ending.out == "good\n");
  CHECK_THAT(ending.err,
             Catch::Contains("gone: ") && Catch::Contains("/nowhere\" can't be read: No such file"));
  CHECK_THAT(ending.err, Catch::Contains("folder: ") && Catch::Contains("can't be read: Is a directory"));
}
