#include "core/process/jobserver/jobserver.hpp"

#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

using namespace gather;
using namespace gather::process;
using gather::test::Loop;

namespace {

/// A jobserver of somebody else's, with so many tokens.
class Others {
 public:
  explicit Others(int tokens) {
    REQUIRE(pipe2(ends_.data(), O_CLOEXEC) == 0);
    for (; tokens > 0; --tokens) REQUIRE(::write(ends_[1], "+", 1) == 1);
  }
  ~Others() {
    for (const int end : ends_) close(end);
  }
  PipeAuth auth() const { return {ends_[0], ends_[1]}; }
  int tokens() const {
    int count = -1;
    ioctl(ends_[0], FIONREAD, &count);
    return count;
  }

 private:
  std::array<int, 2> ends_{};
};

int taken(Jobserver& jobserver) {
  int count = 0;
  while (jobserver.take()) ++count;
  return count;
}

}  // namespace

TEST_CASE("a client takes the tokens there are, and gives each back", "[process][jobserver]") {
  const Others make(3);
  const auto client = Jobserver::join(make.auth(), 10).value();
  CHECK(taken(*client) == 3);
  CHECK(make.tokens() == 0);
  client->give_back();
  CHECK(make.tokens() == 1);
  CHECK(client->take());
  for (int i = 0; i < 3; ++i) client->give_back();
  CHECK(make.tokens() == 3);
  CHECK(client->makeflags("k -j4 --jobserver-auth=3,4") == "k -j4 --jobserver-auth=3,4");
}

TEST_CASE("a client gives back what it holds when it goes, and holds no more than it may",
          "[process][jobserver]") {
  const Others make(5);
  {
    const auto client = Jobserver::join(make.auth(), 2).value();
    CHECK(taken(*client) == 2);
    CHECK(make.tokens() == 3);
  }
  CHECK(make.tokens() == 5);
}

TEST_CASE("a client leaves the flags of the pipe that it shares as they are", "[process][jobserver]") {
  const Others make(1);
  const auto client = Jobserver::join(make.auth(), 2).value();
  CHECK(taken(*client) == 1);  // It would block for ever, did it not have a description of its own.
  CHECK((fcntl(make.auth().read, F_GETFL) & O_NONBLOCK) == 0);
  CHECK((fcntl(make.auth().write, F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("numbers that are no pipe of make's are refused in words", "[process][jobserver]") {
  const Others one(1);
  const Others other(1);
  const Descriptor file(open("/dev/null", O_RDWR | O_CLOEXEC));
  const PipeAuth pipe = one.auth();
  for (const PipeAuth& auth :
       {PipeAuth{12345, 12346}, PipeAuth{file.get(), file.get()}, PipeAuth{pipe.read, file.get()},
        PipeAuth{pipe.read, other.auth().write}, PipeAuth{pipe.write, pipe.read}}) {
    const auto client = Jobserver::join(auth, 2);
    REQUIRE_FALSE(client);
    CHECK_THAT(client.error(), Catch::Contains("put a + before the line of the recipe"));
  }
  CHECK(one.tokens() == 1);
}

TEST_CASE("tokens go through a fifo as through a pipe, and what is none is refused", "[process][jobserver]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/fifo";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const Descriptor other(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  REQUIRE(::write(other.get(), "ab", 2) == 2);
  {
    const auto client = Jobserver::join(FifoAuth{path}, 10).value();
    CHECK(taken(*client) == 2);
    client->give_back();
  }
  std::array<char, 4> bytes{};
  CHECK(::read(other.get(), bytes.data(), bytes.size()) == 2);
  CHECK((std::string(bytes.data()) == "ba" || std::string(bytes.data()) == "ab"));  // The same bytes.
  CHECK_THAT(Jobserver::join(FifoAuth{"/dev/null"}, 1).error(), Catch::Contains("it is no fifo"));
  CHECK_THAT(Jobserver::join(FifoAuth{path + ".no"}, 1).error(), Catch::Contains("No such file"));
}

TEST_CASE("one that is made here has a token for each slot but one", "[process][jobserver]") {
  const auto style = GENERATE(Jobserver::Style::pipe, Jobserver::Style::fifo);
  const auto made = Jobserver::make(4, style).value();
  const std::string flags = made->makeflags("k -j9 --jobserver-auth=8,9");
  CHECK(flags.starts_with("k -j4 --jobserver-auth="));
  JobserverAuth auth = *jobserver_of(flags);
  if (style == Jobserver::Style::pipe) {
    CHECK(auth == JobserverAuth(PipeAuth{3, 4}));
    auth = *made->shared().pipe;
  }
  const auto client = Jobserver::join(auth, 10).value();
  CHECK(taken(*client) == 3);
  CHECK_FALSE(made->take());
  client->give_back();
  CHECK(made->take());
}

TEST_CASE("a fifo that was made here goes with its jobserver", "[process][jobserver]") {
  auto made = Jobserver::make(2, Jobserver::Style::fifo).value();
  const auto auth = std::get<FifoAuth>(*jobserver_of(made->makeflags("")));
  CHECK(std::filesystem::is_fifo(auth.path));
  made.reset();
  CHECK_FALSE(std::filesystem::exists(std::filesystem::path(auth.path).parent_path()));
}

TEST_CASE("one that is made here follows its number of slots", "[process][jobserver]") {
  const auto made = Jobserver::make(3, Jobserver::Style::pipe).value();
  made->set_slots(6);
  CHECK(taken(*made) == 5);
  made->set_slots(2);  // Four too many are out.
  for (int i = 0; i < 5; ++i) made->give_back();
  CHECK(taken(*made) == 1);
  made->set_slots(4);
  CHECK(taken(*made) == 2);
}

TEST_CASE("tokens that were lost are made anew when none can be out", "[process][jobserver]") {
  const auto made = Jobserver::make(5, Jobserver::Style::pipe).value();
  std::array<char, 3> lost{};
  REQUIRE(::read(made->shared().pipe->read, lost.data(), lost.size()) == 3);  // And the reader was killed.
  made->restore();
  CHECK(made->lost() == 3);
  CHECK(taken(*made) == 4);
}

TEST_CASE("what a half held that was killed, the other one gives back", "[process][jobserver]") {
  const Others make(4);
  auto held = HeldTokens::make(8).value();
  const Descriptor read(
      open(fmt::format("/proc/self/fd/{}", make.auth().read).c_str(), O_RDONLY | O_NONBLOCK));
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 4; ++i) held.take(read.get());
    held.give_back(make.auth().write);
    kill(getpid(), SIGKILL);
  }
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(make.tokens() == 1);
  auto other_half = HeldTokens::of(Descriptor(fcntl(held.descriptor(), F_DUPFD_CLOEXEC, 3))).value();
  other_half.give_back_all(make.auth().write);
  CHECK(make.tokens() == 4);
  other_half.give_back_all(make.auth().write);
  CHECK(make.tokens() == 4);
}

TEST_CASE("a half that is killed at any moment leaves no token behind", "[process][jobserver]") {
  const Others make(3);
  const Descriptor read(
      open(fmt::format("/proc/self/fd/{}", make.auth().read).c_str(), O_RDONLY | O_NONBLOCK));
  for (int trial = 0; trial < 200; ++trial) {
    auto held = HeldTokens::make(8).value();
    const pid_t child = fork();
    if (child == 0)
      for (;;) {
        int count = 0;
        while (held.take(read.get())) ++count;
        for (; count > 0; --count) held.give_back(make.auth().write);
      }
    usleep(static_cast<useconds_t>(trial * 7 % 500));
    kill(child, SIGKILL);
    REQUIRE(waitpid(child, nullptr, 0) == child);
    held.give_back_all(make.auth().write);
    // None is lost. One may be there twice: between write() and its note there is a moment that none can
    // close.
    const auto tokens = make.tokens();
    REQUIRE(tokens >= 3);
    REQUIRE(tokens <= 4);
    char byte = 0;
    if (tokens > 3) REQUIRE(::read(read.get(), &byte, 1) == 1);
  }
}

namespace {

/// The descriptors of a child but 0 to 2, and what they are.
std::string descriptors_of_child(StartPath path, const SharedJobserver& shared) {
  Loop loop;
  const auto starter = test::starter_on(loop, path);
  bool ready = false;
  starter->share(shared, [&] { ready = true; });
  ProcessResult result;
  const StopPolicy policy;
  const async::ChildSpec spec{
      .argv = {"sh", "-c",
               "find /proc/self/fd ! -name 0 ! -name 1 ! -name 2 \\( -lname 'pipe*' -o -lname 'socket*' -o "
               "-lname "
               "'anon*' -o -lname '/dev/*' -o -lname '/memfd*' \\) -printf '%f %l\\n' | sort -n"},
      .environment = {"PATH=/usr/bin:/bin"}};
  loop.run([&]() -> async::Co<> { co_await run_process(*starter, spec, policy, result); }());
  CHECK(ready);
  return test::text_of(result.out);
}

}  // namespace

TEST_CASE("children get the two ends of the pipe, and no other descriptor", "[process][jobserver]") {
  const StartPath path = GENERATE(from_range(test::start_paths()));
  const auto made = Jobserver::make(3, Jobserver::Style::pipe).value();
  struct stat status{};
  REQUIRE(fstat(made->shared().pipe->read, &status) == 0);
  const std::string pipe = fmt::format("pipe:[{}]", status.st_ino);
  CHECK(descriptors_of_child(path, made->shared()) == fmt::format("3 {0}\n4 {0}\n", pipe));
}

TEST_CASE("children of a client get make's pipe under make's numbers", "[process][jobserver]") {
  const StartPath path = GENERATE(from_range(test::start_paths()));
  const Others make(1);
  const auto client = Jobserver::join(make.auth(), 2).value();
  struct stat status{};
  REQUIRE(fstat(make.auth().read, &status) == 0);
  const std::string pipe = fmt::format("pipe:[{}]", status.st_ino);
  CHECK(descriptors_of_child(path, client->shared()) ==
        fmt::format("{1} {0}\n{2} {0}\n", pipe, make.auth().read, make.auth().write));
}

TEST_CASE("children of a fifo's client get no descriptor", "[process][jobserver]") {
  const StartPath path = GENERATE(from_range(test::start_paths()));
  const auto made = Jobserver::make(3, Jobserver::Style::fifo).value();
  CHECK(descriptors_of_child(path, made->shared()) == "");
}
