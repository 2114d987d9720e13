#include "core/report/result_files.hpp"

#include "core/base/error.hpp"
#include "tests/unit/analyse/made_run.hpp"
#include "tests/unit/report/fake_terminal.hpp"

#include <catch2/catch.hpp>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace std::chrono_literals;
using gather::report::ResultFiles;
using gather::report::safe_name;
using gather::test::MadeRun;
using gather::test::output_of;
using gather::test::outputs;

namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = "/tmp/gather-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

  /// Every file below it: "a/stdout=text".
  std::set<std::string> content() const {
    std::set<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      if (!entry.is_regular_file()) continue;
      std::stringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      files.insert(entry.path().lexically_relative(path_).string() + "=" + text.str());
    }
    return files;
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("any text is a file name, and no two are the same", "[report][results]") {
  const std::vector<std::string> texts = {"",
                                          ".",
                                          "..",
                                          "a",
                                          "a/b",
                                          "a\\_b",
                                          "a\\b",
                                          "../../etc/passwd",
                                          "a\nb",
                                          "a\\nb",
                                          "\t",
                                          "\x7f",
                                          "\\e",
                                          "\\.",
                                          "-rf",
                                          " ",
                                          "gr\u00fcn",
                                          std::string("a\0b", 3),
                                          std::string(255, 'x'),
                                          std::string(300, 'x'),
                                          std::string(301, 'x')};
  std::set<std::string> names;
  for (const std::string& text : texts) {
    const std::string name = safe_name(text);
    CHECK(!name.empty());
    CHECK(name.size() <= 255);
    CHECK(name != ".");
    CHECK(name != "..");
    CHECK(name.find_first_of(std::string("/\n\0", 3)) == std::string::npos);
    names.insert(name);
  }
  CHECK(names.size() == texts.size());
  CHECK(safe_name("a/b") == "a\\_b");
  CHECK(safe_name("plain-1.txt") == "plain-1.txt");
}

TEST_CASE("each task that has run leaves a folder with what it wrote and how it ended", "[report][results]") {
  MadeRun run;
  run.task("good").ran(0s, 1s);
  run.task("bad").ran(0s, 1s, gather::run::Exited{3}).ran(1s, 1s, gather::run::Signalled{11});
  run.task("late").ran(0s, 1s, gather::run::TimedOut{1s, false});
  run.task("never").skipped_at(1s, "bad");
  const Folder folder;
  ResultFiles results(folder.path() / "out", [&](gather::job::TaskId id) {
    return ResultFiles::Place{{"1", run.job[id].id}, gather::job::index(id) + 1};
  });
  const auto end = [&](const char* id, std::vector<gather::run::AttemptOutput> written) {
    results.task_ended(run.id(id), run.record[run.id(id)], written);
  };
  end("good", outputs(output_of(1, std::string("o\0ut", 4), "err\n")));
  auto both = outputs(output_of(1, "first\n", ""));
  both.push_back(output_of(2, "", "second\n"));
  end("bad", std::move(both));
  end("late", {});
  end("never", {});
  CHECK(folder.content() ==
        std::set<std::string>{
            std::string("out/1/good/stdout=o\0ut", 22), "out/1/good/stderr=err\n", "out/1/good/seq=1\n",
            "out/1/good/exit=0\n", "out/1/bad/stdout=", "out/1/bad/stderr=second\n", "out/1/bad/seq=2\n",
            "out/1/bad/exit=139\n", "out/1/late/stdout=", "out/1/late/stderr=", "out/1/late/seq=3\n",
            "out/1/late/exit=124\n"});
}

TEST_CASE("the same arguments twice are two results", "[report][results]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 1s);
  const Folder folder;
  ResultFiles results(folder.path(), [&](gather::job::TaskId id) {
    return ResultFiles::Place{{"1", "same"}, gather::job::index(id) + 1};
  });
  for (const char* id : {"a", "b"})
    results.task_ended(run.id(id), run.record[run.id(id)], outputs(output_of(1, id, "")));
  const auto content = folder.content();
  CHECK(content.contains("1/same/stdout=a"));
  CHECK(content.contains("1/same\\2/stdout=b"));
}

TEST_CASE("where no folder can be made, nothing is to start; where a file can't be written, it is told",
          "[report][results]") {
  const Folder folder;
  std::ofstream(folder.path() / "file") << "x";
  const auto place = [](gather::job::TaskId) { return ResultFiles::Place{{"a"}, 1}; };
  try {
    ResultFiles(folder.path() / "file", place);
    FAIL("nothing thrown");
  } catch (const gather::Error& error) {
    CHECK(error.status() == gather::ExitStatus::usage);
    CHECK_THAT(error.what(), Catch::Contains("can't be written: Not a directory"));
  }
  MadeRun run;
  run.task("a").ran(0s, 1s);
  ResultFiles results(folder.path() / "out", place);
  fs::create_directories(folder.path() / "out/a/stdout");
  try {
    results.task_ended(run.id("a"), run.record.tasks[0], {});
    FAIL("nothing thrown");
  } catch (const gather::Error& error) {
    CHECK(error.status() == gather::ExitStatus::task_failed);
    CHECK_THAT(error.what(), Catch::Contains("out/a/stdout\" can't be written: Is a directory"));
  }
}
