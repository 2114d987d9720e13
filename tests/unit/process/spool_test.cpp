#include "core/base/error.hpp"
#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include <csignal>

using namespace gather;
using namespace gather::test;
using process::Spool;

namespace {

/// Sets an environment variable for a scope.
class SetVariable {
 public:
  SetVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  SetVariable(const SetVariable&) = delete;
  SetVariable& operator=(const SetVariable&) = delete;
  ~SetVariable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

/// No file of this process can grow beyond `bytes`: a disk that is full after that.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a spool gives back what was appended, as often as asked", "[process][spool]") {
  Spool spool;
  spool.append("one ");
  spool.append("");
  spool.append("two");
  CHECK(spool.size() == 7);
  CHECK(text_of(spool) == "one two");
  CHECK(text_of(spool) == "one two");
  CHECK(!spool.spilled());
}

TEST_CASE("a spool moves to a file when its memory is full, and keeps every byte", "[process][spool]") {
  const std::size_t piece = GENERATE(1u, 3u, 10u, 16u, 17u, 100u);
  Spool spool(16);
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string bytes(piece, static_cast<char>('a' + i % 26));
    spool.append(bytes);
    expected += bytes;
    CHECK(spool.size() == expected.size());
  }
  CHECK(spool.spilled());
  CHECK(text_of(spool) == expected);
  spool.append("more");
  CHECK(text_of(spool) == expected + "more");
}

TEST_CASE("a spool's file has no name", "[process][spool]") {
  const TemporaryFolder folder;
  const SetVariable variable("TMPDIR", folder.path());
  Spool spool(4);
  spool.append("more than four");
  CHECK(spool.spilled());
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a full disk keeps what fits, and is told", "[process][spool]") {
  const SmallFiles limit(100);
  Spool spool(16);
  for (int i = 0; i < 50; ++i) spool.append("0123456789");
  CHECK(spool.failure().value() ==
        "can't keep the output in \"/tmp\": File too large; TMPDIR names another place");
  const std::string kept = text_of(spool);
  CHECK(kept.size() >= 100);
  CHECK(kept.size() == spool.size());
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i] == static_cast<char>('0' + i % 10));
}

TEST_CASE("a spool whose folder is missing says so", "[process][spool]") {
  const SetVariable variable("TMPDIR", "/no/such/folder");
  Spool spool(4);
  spool.append("12");
  spool.append("3456");
  CHECK(
      spool.failure().value() ==
      "can't keep the output in \"/no/such/folder\": No such file or directory; TMPDIR names another place");
  CHECK(text_of(spool) == "12");
}

TEST_CASE("a program whose output can't be kept runs on, and the loss is told", "[process][spool]") {
  const SetVariable variable("TMPDIR", "/no/such/folder");
  const Ran ran = shell("seq 1 100000; exit 4");
  CHECK(ran.told() == "exit 4");
  CHECK(ran.result.lost_output());
  CHECK(ran.result.out.size() <= 64 * 1024);
}

TEST_CASE("the end can be read without the rest, wherever it is", "[process][spool]") {
  const auto memory = GENERATE(as<std::size_t>(), 1, 10, 1000);
  Spool spool(memory);
  std::string all;
  for (int i = 0; i < 40; ++i) {
    spool.append(std::to_string(i));
    all += std::to_string(i);
  }
  for (std::size_t most = 0; most <= all.size() + 1; ++most) {
    std::string end;
    spool.read_end(most, [&](std::string_view piece) { end += piece; });
    CHECK(end == all.substr(all.size() - std::min(most, all.size())));
  }
}

TEST_CASE("a spool that drops keeps the end, and no file", "[process][spool]") {
  Spool spool(100, Spool::Beyond::dropped);
  const auto size = GENERATE(as<std::size_t>(), 1, 7, 99, 100, 101, 5000);
  std::string all;
  for (int i = 0; all.size() < 10'000; ++i) {
    const std::string piece(size, static_cast<char>('a' + i % 26));
    spool.append(piece);
    all += piece;
  }
  std::string kept;
  spool.read([&](std::string_view piece) { kept += piece; });
  CHECK(all.ends_with(kept));
  CHECK(kept.size() >= 100);
  CHECK(kept.size() <= 200);
  CHECK(!spool.spilled());
}
