// What the launcher says to gather, and when: word of a start waits for word of its end.
#include "core/process/launcher/replies.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace gather;
using namespace gather::process;
using namespace gather::process::launcher;

namespace {

/// Both ends of a channel, and a clock that stands unless it is moved.
class Talk {
 public:
  Replies& replies() { return replies_; }
  Replies::Clock::time_point now() const { return now_; }
  void pass(Duration time) { now_ += time; }

  void started(std::uint64_t id) { replies_.started(id, static_cast<pid_t>(1000 + id), now_); }
  void ended(std::uint64_t id) { replies_.say(Kind::ended, id, {}, now_); }

  /// What the next flush sends, as one line for each packet: "started 1 after 2 ms, ended 1".
  std::vector<std::string> flushed() {
    CHECK(replies_.flush(now_));
    std::vector<std::string> packets;
    for (;;) {
      std::string packet;
      const auto took = there_.receive([&](const Channel::Message& message) {
        if (!packet.empty()) packet += ", ";
        packet += read(message);
      });
      if (took != Channel::Took::packet) return packets;
      packets.push_back(packet);
    }
  }

 private:
  static std::string read(const Channel::Message& message) {
    const std::string id = std::to_string(message.id);
    if (static_cast<Kind>(message.kind) != Kind::started) return "ended " + id;
    pid_t pid = 0;
    Duration::rep age = 0;
    Reader(message.body) >> pid >> age;
    CHECK(pid == static_cast<pid_t>(1000 + message.id));
    return "started " + id + " after " + std::to_string(Duration(age) / 1ms) + " ms";
  }

  std::pair<Descriptor, Descriptor> ends_ = make_socket_pair().value();
  Channel here_{std::move(ends_.first)};
  Channel there_{std::move(ends_.second)};
  Replies replies_{here_};
  Replies::Clock::time_point now_{1h};
};

using Packets = std::vector<std::string>;

}  // namespace

TEST_CASE("a start and an end soon after it are one packet", "[process][launcher]") {
  Talk talk;
  talk.started(1);
  CHECK(talk.flushed().empty());
  talk.pass(1ms);
  talk.ended(1);
  CHECK(talk.flushed() == Packets{"started 1 after 1 ms, ended 1"});
  CHECK(!talk.replies().due());
}

TEST_CASE("the word of a start waits 2 ms, and says so", "[process][launcher]") {
  Talk talk;
  const auto begin = talk.now();
  talk.started(1);
  talk.pass(1ms);
  talk.started(2);
  CHECK(talk.replies().due() == begin + 2ms);
  talk.pass(1ms - 1ns);
  CHECK(talk.flushed().empty());
  talk.pass(1ns);
  CHECK(talk.flushed() == Packets{"started 1 after 2 ms"});
  CHECK(talk.replies().due() == begin + 3ms);
  talk.pass(1ms);
  CHECK(talk.flushed() == Packets{"started 2 after 2 ms"});
  CHECK(!talk.replies().due());
}

TEST_CASE("another one's end does not take a start along", "[process][launcher]") {
  Talk talk;
  talk.started(1);
  talk.started(2);
  talk.ended(1);
  CHECK(talk.flushed() == Packets{"started 1 after 0 ms, ended 1"});
  talk.ended(2);
  CHECK(talk.flushed() == Packets{"started 2 after 0 ms, ended 2"});
}

TEST_CASE("eight starts do not wait", "[process][launcher]") {
  Talk talk;
  for (std::uint64_t id = 1; id < 8; ++id) talk.started(id);
  CHECK(talk.flushed().empty());
  talk.started(8);
  const auto packets = talk.flushed();
  REQUIRE(packets.size() == 1);
  CHECK_THAT(packets[0],
             Catch::StartsWith("started 1 after 0 ms, ") && Catch::EndsWith("started 8 after 0 ms"));
}
