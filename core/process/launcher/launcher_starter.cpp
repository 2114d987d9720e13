/// Children that the launcher starts for us: requests go to it, answers wake who waits for them.
#include "core/async/loop/running.hpp"
#include "core/async/loop/watch.hpp"
#include "core/async/sync/semaphore.hpp"
#include "core/base/error.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/launcher/answer.hpp"
#include "core/process/launcher/launcher_process.hpp"
#include "core/process/launcher/messages.hpp"
#include "core/process/sweep.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace gather::process {
namespace launcher {
namespace {

using async::Co;
using async::StartError;

/// Starts that were asked for and not answered. The launcher holds the descriptors of each, and every child
/// begins with a copy of all that it holds.
constexpr std::ptrdiff_t most_unanswered = 32;

/// Nobody would continue a launcher that a task has stopped: it is in a session of its own.
constexpr Duration between_continues = std::chrono::seconds(1);

/// What is in common is told without a descriptor, which could fail to arrive. More than this travels with
/// each start, which is refused and tried again where that happens.
bool is_told_at_once(const async::Environment::Variables& common) {
  constexpr std::size_t most = std::size_t{32} * 1024;
  constexpr std::size_t around = 8;
  std::size_t size = 0;
  for (const std::string& variable : common) size += variable.size() + around;
  return size <= most;
}

/// What is known of one child, from the request on. The starter keeps it while the launcher may speak of it.
struct Record {
  Bell* bell = nullptr;  // Null once nobody is interested.
  Answer answer;
  pid_t pid = -1;
  Duration age{};  // When we were told.
  StartError error;
  Reaped reaped;
  bool ended = false;
  bool gone = false;   // Reaped, and with it the whole group.
  bool alone = false;  // The last answer.
};

class LauncherChild;

class LauncherStarter final : public Starter, private async::FdWatch {
 public:
  LauncherStarter(async::Loop& loop, std::string program) : loop_(loop), program_(std::move(program)) {}
  ~LauncherStarter() override;

  Co<std::expected<std::unique_ptr<process::Child>, StartError>> start(const async::ChildSpec& spec,
                                                                       Bell& ended,
                                                                       ChildPolicy policy) override;
  Co<std::vector<Leftover>> sweep() override;
  bool owns(pid_t pid) const noexcept override { return pid == launcher_.pid(); }
  void share(const SharedJobserver& jobserver, std::function<void()> ready) override {
    shared_ = jobserver;
    shared_ready_ = std::move(ready);
  }
  void pause() noexcept override { tell_now(Kind::pause); }
  void resume() noexcept override { tell_now(Kind::resume); }

 private:
  friend class LauncherChild;

  /// Starts the launcher if there is none yet.
  std::expected<void, StartError> ensure_running();
  void keep_going();
  void tell_of_jobserver();
  void request(Kind kind, std::uint64_t id, const Writer& body = {}, std::span<const int> descriptors = {});
  void tell_now(Kind kind) noexcept;
  void flush_soon();
  void flush();
  void on_events(async::Events events) noexcept override;
  void take(const Channel::Message& message);
  void launcher_died();
  /// Throws if the launcher has died.
  void check() const;

  async::Loop& loop_;
  std::string program_;
  LauncherProcess launcher_;  // None before the first start and after its death.
  Channel channel_;
  std::unordered_map<std::uint64_t, Record> children_;
  std::uint64_t next_id_ = 1;
  async::Semaphore unanswered_{most_unanswered};
  std::shared_ptr<const async::Environment::Variables> told_common_;
  Answer swept_;
  std::vector<Leftover> leftovers_;
  std::optional<SharedJobserver> shared_;
  std::function<void()> shared_ready_;
  async::Call flush_;
  async::Call keep_going_;
  bool flush_due_ = false;
  bool waits_to_send_ = false;  // Until the socket takes more.
  std::string death_;           // Why nothing can be started any more; empty while all is well.
};

class LauncherChild final : public process::Child {
 public:
  LauncherChild(LauncherStarter& starter, std::uint64_t id, Record& record) noexcept
      : starter_(starter), id_(id), record_(record) {}
  ~LauncherChild() override {
    if (!record_.gone) starter_.request(Kind::forget, id_);
    starter_.children_.erase(id_);
  }

  bool ended() const noexcept override { return record_.ended; }
  Duration age() const noexcept override { return record_.age; }

  void signal(int number) noexcept override {
    if (!record_.gone) starter_.request(Kind::signal, id_, Writer() << number);
  }

  Co<bool> alone() override {
    if (record_.gone) co_return true;
    co_await ask(Kind::alone);
    co_return record_.alone;
  }

  Co<Reaped> reap() override {
    assert(ended());
    if (!record_.gone) co_await ask(Kind::reap);
    starter_.check();
    record_.gone = true;
    co_return record_.reaped;
  }

 private:
  Co<> ask(Kind kind) {
    if (!starter_.death_.empty()) co_return;
    record_.answer.expect();
    starter_.request(kind, id_);
    co_await await(record_.answer);
  }

  LauncherStarter& starter_;
  std::uint64_t id_;
  Record& record_;
};

LauncherStarter::~LauncherStarter() {
  flush_.cancel();
  keep_going_.cancel();
  if (launcher_.pid() < 0) return;
  stop();
  channel_.flush();
  channel_.close();  // At which it ends what is left, and then itself.
  if (launcher_.await_end() != 0) kill_strays(spares_nobody);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

std::expected<void, StartError> LauncherStarter::ensure_running() {
  if (launcher_.pid() >= 0) return {};
  // Should the launcher die, its orphans come to us.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Descriptor socket;
  auto started = LauncherProcess::start(program_, socket);
  if (!started) return std::unexpected(std::move(started.error()));
  launcher_ = std::move(*started);
  channel_ = Channel(std::move(socket));
  FdWatch::start(loop_, channel_.descriptor(), async::Events::readable);
  if (shared_) tell_of_jobserver();
  keep_going();
  return {};
}

void LauncherStarter::keep_going() {
  launcher_.go_on();
  keep_going_ = loop_.call_later(between_continues, [this] { keep_going(); });
}

void LauncherStarter::tell_of_jobserver() {
  SharedJobserver told = *shared_;
  std::vector<int> descriptors;
  const auto pass = [&](int& number) {
    if (number < 0) return;
    const auto known = std::ranges::find(descriptors, number);
    const auto place = static_cast<int>(known - descriptors.begin());
    if (known == descriptors.end()) descriptors.push_back(number);
    number = place;
  };
  if (told.pipe) {
    pass(told.pipe->read);
    pass(told.pipe->write);
  }
  pass(told.give_back_to);
  pass(told.held);
  Writer body;
  body << told;
  request(Kind::share, 0, body, descriptors);
}

Co<std::expected<std::unique_ptr<process::Child>, StartError>> LauncherStarter::start(
    const async::ChildSpec& spec, Bell& ended, ChildPolicy policy) {
  check();
  if (auto running = ensure_running(); !running) co_return std::unexpected(std::move(running.error()));
  const auto turn = co_await unanswered_.scoped();
  check();
  StartRequest start{spec, policy};
  std::array<int, 3> descriptors{};
  std::size_t count = 0;
  for (int* const stream : {&start.spec.stdin_fd, &start.spec.stdout_fd, &start.spec.stderr_fd}) {
    if (*stream < 0) continue;
    descriptors[count] = *stream;
    *stream = static_cast<int>(count++);
  }
  if (const auto common = spec.environment.common(); common && common != told_common_) {
    if (is_told_at_once(*common)) {
      send(channel_, Kind::common, 0, Writer() << *common);
      told_common_ = common;
    } else {
      async::Environment::Variables all = *common;
      all.insert(all.end(), spec.environment.own().begin(), spec.environment.own().end());
      start.spec.environment = std::move(all);
    }
  }
  const std::uint64_t id = next_id_++;
  Writer body;
  body << start;
  if (const int error = send(channel_, Kind::start, id, body, std::span(descriptors).first(count));
      error != 0)
    co_return std::unexpected(async::explain_descriptors(error));
  Record& record = children_[id];
  record.bell = &ended;
  flush_soon();
  co_await await(record.answer);
  if (!death_.empty()) {
    children_.erase(id);
    check();
  }
  if (record.pid < 0) {
    StartError error = std::move(record.error);
    children_.erase(id);
    co_return std::unexpected(std::move(error));
  }
  co_return std::make_unique<LauncherChild>(*this, id, record);
}

Co<std::vector<Leftover>> LauncherStarter::sweep() {
  check();
  if (launcher_.pid() < 0) co_return std::vector<Leftover>{};
  swept_.expect();
  request(Kind::sweep, 0);
  co_await await(swept_);
  check();
  co_return std::exchange(leftovers_, {});
}

void LauncherStarter::request(Kind kind, std::uint64_t id, const Writer& body,
                              std::span<const int> descriptors) {
  if (!death_.empty()) return;
  send(channel_, kind, id, body, descriptors);
  flush_soon();
}

void LauncherStarter::tell_now(Kind kind) noexcept {
  if (launcher_.pid() < 0) return;
  request(kind, 0);
  flush();
}

// At the end of the pass, so that what is asked for in one pass travels in one packet.
void LauncherStarter::flush_soon() {
  if (std::exchange(flush_due_, true)) return;
  flush_ = loop_.call_soon([this] {
    flush_due_ = false;
    flush();
  });
}

void LauncherStarter::flush() {
  if (launcher_.pid() < 0) return;
  const bool all = channel_.flush();
  pipes().refill();  // While the launcher is at work.
  if (all != waits_to_send_) return;
  waits_to_send_ = !all;
  FdWatch::start(loop_, channel_.descriptor(),
                 all ? async::Events::readable : async::Events::readable | async::Events::writable);
}

void LauncherStarter::on_events(async::Events events) noexcept {
  if (any(events, async::Events::readable)) {  // One packet: another would be an event of its own.
    const auto took = channel_.receive([this](const Channel::Message& message) { take(message); });
    if (took == Channel::Took::end) {
      launcher_died();
      return;
    }
  }
  if (!channel_.idle()) flush();
}

void LauncherStarter::take(const Channel::Message& message) {
  Reader body(message.body);
  const auto kind = static_cast<Kind>(message.kind);
  if (kind == Kind::swept) {
    std::uint32_t count = 0;
    body >> count;
    leftovers_.resize(count);
    for (Leftover& leftover : leftovers_) body >> leftover;
    swept_.arrive();
    return;
  }
  if (kind == Kind::shares) {
    shared_ready_();
    return;
  }
  const auto found = children_.find(message.id);
  if (found == children_.end()) return;  // Forgotten meanwhile.
  Record& record = found->second;
  Duration::rep age = 0;
  switch (kind) {
    case Kind::started:
      body >> record.pid >> age;
      record.age = Duration(age);
      record.answer.arrive();
      break;
    case Kind::refused:
      body >> record.error;
      record.answer.arrive();
      break;
    case Kind::ended:
      body >> record.gone >> record.reaped;
      record.ended = true;
      record.bell->ring();
      break;
    case Kind::is_alone:
      body >> record.alone;
      record.answer.arrive();
      break;
    case Kind::reaped:
      body >> record.reaped;
      record.answer.arrive();
      break;
    default:
      break;
  }
}

void LauncherStarter::launcher_died() {
  stop();
  keep_going_.cancel();
  channel_.close();
  const pid_t pid = launcher_.pid();
  const int signal = launcher_.await_end();
  death_ = fmt::format(
      "the process that starts tasks for gather (the launcher, {}) {}; everything it had started was killed",
      pid,
      signal != 0 ? fmt::format("was killed by signal {} ({})", signal, strsignal(signal))
                  : std::string("ended too early"));
  // Its own children have died with it; what they had started has come to us.
  if (!kill_strays(spares_nobody)) death_ += ", but for processes that can't be";
  swept_.arrive();
  for (auto& [id, record] : children_) {
    record.ended = record.gone = true;
    record.answer.arrive();
    record.bell->ring();
  }
}

void LauncherStarter::check() const {
  if (!death_.empty()) throw Error(ExitStatus::bug, death_);
}

}  // namespace
}  // namespace launcher

std::unique_ptr<Starter> make_launcher_starter(async::Loop& loop, const std::string& program) {
  return std::make_unique<launcher::LauncherStarter>(loop, program);
}

}  // namespace gather::process
