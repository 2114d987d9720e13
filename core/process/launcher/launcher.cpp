#include "core/process/launcher/launcher.hpp"

#include "core/process/descriptor.hpp"
#include "core/process/group.hpp"
#include "core/process/launcher/isolation.hpp"
#include "core/process/launcher/jobserver_share.hpp"
#include "core/process/launcher/messages.hpp"
#include "core/process/launcher/short_slices.hpp"
#include "core/process/launcher/staying.hpp"
#include "core/process/reap.hpp"
#include "core/process/sweep.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace gather::process {
namespace launcher {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What has left its group gets this between SIGTERM and SIGKILL.
constexpr Duration stray_grace = 200ms;

class Launcher {
 public:
  /// `gather` is the process that has the other end of `socket`.
  Launcher(pid_t gather, Descriptor socket, Descriptor epoll, Descriptor signals, Descriptor null_device)
      : channel_(std::move(socket)),
        epoll_(std::move(epoll)),
        signals_(std::move(signals)),
        null_(std::move(null_device)),
        gather_(gather) {
    watch(channel_.descriptor(), socket_key);
    watch(signals_.get(), signals_key);
  }

  /// Until gather closes the socket, in whatever way; then ends what is left.
  void run() {
    while (!gather_gone_) {
      std::array<epoll_event, 64> events;
      const int count =
          epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), starts_.empty() ? -1 : 0);
      for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)]);
      if (!gather_gone_) start_some();
      if (std::exchange(orphans_, false)) reap_strays(spare_children());
      flush();
    }
    end_all();
  }

 private:
  struct Child {
    pid_t pid = -1;
    Descriptor pidfd;
    ChildPolicy policy;
    std::string attempt;         // Of one that may leave something: Staying::attempt_of.
    std::optional<Init> init{};  // Of one that is isolated: `pid` is its init's.
  };
  /// A request that waits for its turn, with its descriptors.
  struct Waiting {
    std::uint64_t id;
    StartRequest request;
    std::vector<Descriptor> descriptors;
    bool complete;
  };

  // What epoll gives back; anything else is the id of a child.
  static constexpr std::uint64_t socket_key = ~std::uint64_t{0};
  static constexpr std::uint64_t signals_key = socket_key - 1;

  bool watch(int descriptor, std::uint64_t key, std::uint32_t events = EPOLLIN) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
  }

  void handle(const epoll_event& event) {
    if (event.data.u64 == signals_key) {
      take_signals();
    } else if (event.data.u64 == socket_key) {
      // Gather's end first: what it asked for before it died is not to be started any more.
      if ((event.events & (EPOLLHUP | EPOLLERR)) != 0)
        gather_gone_ = true;
      else if ((event.events & EPOLLIN) != 0)
        take_requests();
    } else {
      child_ended(event.data.u64);
    }
  }

  /// Those of one packet; another would be an event of its own.
  void take_requests() {
    const auto took = channel_.receive([this](Channel::Message& message) { take(message); });
    if (took == Channel::Took::end) gather_gone_ = true;
  }

  void take(Channel::Message& message) {
    const auto kind = static_cast<Kind>(message.kind);
    if (kind == Kind::common) {
      auto variables = std::make_shared<async::Environment::Variables>();
      Reader(message.body) >> *variables;
      common_ = std::move(variables);
      return;
    }
    if (kind == Kind::start) {
      Waiting& waiting = starts_.emplace_back(message.id, StartRequest{}, std::vector<Descriptor>{}, true);
      waiting.complete = message.complete;
      Reader body(message.body);
      body >> waiting.request;
      async::ChildSpec& spec = waiting.request.spec;
      spec.dispositions = dispositions_;
      if (waiting.request.has_common)
        spec.environment = async::Environment(common_, std::move(spec.environment).own());
      for (Descriptor& descriptor : message.descriptors) waiting.descriptors.push_back(std::move(descriptor));
      return;
    }
    switch (kind) {
      case Kind::sweep:
        sweep();
        return;
      case Kind::pause:
        signal_everything(SIGSTOP);
        return;
      case Kind::resume:
        signal_everything(SIGCONT);
        return;
      case Kind::share:
        if (jobserver_.take(message)) send(channel_, Kind::shares, 0);
        return;
      default:
        break;
    }
    const auto found = children_.find(message.id);
    if (found == children_.end()) return;  // Reaped before the message came.
    Child& child = found->second;
    switch (kind) {
      case Kind::signal: {
        int number = 0;
        Reader(message.body) >> number;
        kill(-child.pid, number);
        child.policy.leave = false;  // What is stopped leaves nothing.
        break;
      }
      case Kind::alone:
        tell(Kind::is_alone, message.id, is_last_of_group(child.pid));
        break;
      case Kind::reap:
        tell(Kind::reaped, message.id, reap(found));
        break;
      case Kind::forget:
        reap(found);
        break;
      default:
        break;
    }
  }

  /// As many as a millisecond allows: others may have ended meanwhile, and gather waits for answers.
  void start_some() {
    const auto until = Clock::now() + 1ms;
    while (!starts_.empty()) {
      start(starts_.front());
      starts_.pop_front();
      if (Clock::now() >= until) return;
    }
  }

  void start(Waiting& waiting) {
    async::ChildSpec& spec = waiting.request.spec;
    if (!waiting.complete) {
      refuse(waiting.id, async::explain_descriptors(EMFILE));
      return;
    }
    for (int* const stream : {&spec.stdin_fd, &spec.stdout_fd, &spec.stderr_fd}) {
      if (*stream >= 0)
        *stream = waiting.descriptors.at(static_cast<std::size_t>(*stream)).get();
      else if (*stream == async::ChildSpec::null_device)
        *stream = null_.get();
    }
    std::optional<Init> init;
    auto started = waiting.request.policy.isolate
                       ? start_isolated(spec, jobserver_.passed(), init)
                       : async::start_child(spec, async::StartPath::automatic, jobserver_.passed());
    if (!started) {
      refuse(waiting.id, started.error());
      return;
    }
    if (!watch(started->pidfd, waiting.id)) {
      const auto error = async::explain_descriptors(errno);
      kill(-started->pid, SIGKILL);
      reap_child(started->pid);
      close(started->pidfd);
      refuse(waiting.id, error);
      return;
    }
    by_pid_.emplace(started->pid, waiting.id);
    staying_.forget(started->pid);
    Child& child =
        children_
            .emplace(
                waiting.id,
                Child{started->pid, Descriptor(started->pidfd), waiting.request.policy, {}, std::move(init)})
            .first->second;
    if (child.policy.leave) child.attempt = Staying::attempt_of(spec.environment);
    tell(Kind::started, waiting.id, started->pid);
  }

  template <class Value>
  void tell(Kind kind, std::uint64_t id, const Value& value) {
    Writer body;
    body << value;
    send(channel_, kind, id, body);
  }

  void refuse(std::uint64_t id, const async::StartError& error) { tell(Kind::refused, id, error); }

  void child_ended(std::uint64_t id) {
    const auto found = children_.find(id);
    if (found == children_.end()) return;
    const Child& child = found->second;
    const bool done = (child.policy.leave && ended_well(child.pid)) || is_last_of_group(child.pid);
    // A pidfd stays readable; closing it takes it out as well.
    if (!done) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, child.pidfd.get(), nullptr);
    Writer body;
    body << done << (done ? reap(found) : Reaped{});
    send(channel_, Kind::ended, id, body);
  }

  Reaped reap(std::unordered_map<std::uint64_t, Child>::iterator child) {
    const pid_t pid = child->second.pid;
    if (child->second.policy.leave && ended_well(pid))
      staying_.add(pid, child->second.attempt);
    else
      kill(-pid, SIGKILL);
    Reaped reaped = reap_child(pid);
    if (const auto& init = child->second.init) init->tell(reaped);
    children_.erase(child);
    by_pid_.erase(pid);
    orphans_ = true;  // Which it may have hidden as long as it was a zombie itself.
    return reaped;
  }

  Spared spare_children() {
    return [this](pid_t pid) { return by_pid_.contains(pid) || staying_.contains(pid); };
  }

  Spared spare_staying() {
    return [this](pid_t pid) { return staying_.contains(pid); };
  }

  void sweep() {
    const std::vector<pid_t> left = stop_strays(spare_children());  // So that they can be looked at.
    const std::vector<Leftover> ended = describe(left);
    if (!left.empty()) {
      end_politely(left, stray_grace);
      kill_strays(spare_children());
    }
    std::vector<Leftover> told = describe(staying_.alive());  // First, as not all may be told.
    for (Leftover& staying : told) staying.stays = true;
    told.insert(told.end(), ended.begin(), ended.end());
    Writer body;
    constexpr std::size_t most = 100;
    body << static_cast<std::uint32_t>(std::min(told.size(), most));
    for (std::size_t i = 0; i < told.size() && i < most; ++i) body << told[i];
    send(channel_, Kind::swept, 0, body);
  }

  void signal_everything(int number) {
    for (const auto& [id, child] : children_) kill(-child.pid, number);
    signal_all(descendants(spare_staying()), number);  // Who left their groups.
  }

  /// Signals, and waits until there are no strays any more, or the time is over, or somebody asks us to
  /// hurry.
  void end_politely(const std::vector<pid_t>& processes, Duration grace) {
    signal_all(processes, SIGTERM);
    signal_all(processes, SIGCONT);  // One that is stopped can't even end before it is continued.
    const auto until = Clock::now() + grace;
    hurry_ = false;
    while (!hurry_ && Clock::now() < until && !strays(spare_children()).empty()) {
      pollfd signals{.fd = signals_.get(), .events = POLLIN, .revents = 0};
      poll(&signals, 1, 10);  // Those of others end without a word to us.
      take_signals();
    }
  }

  /// Gather has gone: everything that is left and is not to stay gets its grace, and is ended.
  void end_all() {
    starts_.clear();
    Duration grace = stray_grace;
    for (const auto& [id, child] : children_) grace = std::max(grace, child.policy.grace);
    children_.clear();
    by_pid_.clear();
    end_politely(strays(spare_staying()), grace);
    kill_strays(spare_staying());
    jobserver_.give_back_all();
  }

  /// SIGCHLD: perhaps an orphan that came to us. The others are meant for gather, and passed on to it, so
  /// that whoever ends us ends the run in good order.
  void take_signals() {
    // At most one of each of those that are blocked is pending, so that one call takes them all.
    std::array<signalfd_siginfo, 8> taken{};
    const ssize_t size = read(signals_.get(), taken.data(), sizeof taken);
    const auto count = size > 0 ? static_cast<std::size_t>(size) / sizeof taken[0] : 0;
    for (const signalfd_siginfo& info : std::span(taken).first(count)) {
      const int number = static_cast<int>(info.ssi_signo);
      if (number == SIGCHLD)
        orphans_ = true;
      else if (gather_gone_ || getppid() != gather_ || kill(gather_, number) != 0)
        hurry_ = true;
    }
  }

  void flush() {
    const bool all = channel_.flush();
    if (all == !waits_to_send_) return;
    waits_to_send_ = !all;
    epoll_event event{};
    event.events = EPOLLIN | (waits_to_send_ ? EPOLLOUT : 0u);
    event.data.u64 = socket_key;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, channel_.descriptor(), &event);
  }

  Channel channel_;
  Descriptor epoll_;
  Descriptor signals_;
  Descriptor null_;
  pid_t gather_;
  // A sanitizer handles some of its own.
  const async::Dispositions dispositions_ =
      async::signals_are_untouched() ? async::Dispositions::are_untouched : async::Dispositions::by_default;
  std::shared_ptr<const async::Environment::Variables> common_;  // Of the environments of children.
  std::deque<Waiting> starts_;
  JobserverShare jobserver_;
  std::unordered_map<std::uint64_t, Child> children_;  // Until they are reaped.
  std::unordered_map<pid_t, std::uint64_t> by_pid_;
  Staying staying_;
  bool gather_gone_ = false;
  bool hurry_ = false;
  bool orphans_ = false;  // There may be some to reap.
  bool waits_to_send_ = false;
};

/// Everything that is said to us comes as an event; children get their own signals from start_child.
Descriptor block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, number);
  sigprocmask(SIG_SETMASK, &set, nullptr);
  return Descriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

}  // namespace

}  // namespace launcher

std::optional<int> run_as_launcher(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != launcher::argument) return std::nullopt;
  Descriptor socket(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  int type = 0;
  socklen_t size = sizeof type;
  if (!socket || getsockopt(socket.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
    return std::nullopt;  // Somebody typed it.
  Descriptor signals = launcher::block_signals();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "gather-launcher");
  launcher::ask_for_short_slices();
  Descriptor null_device(open("/dev/null", O_RDWR | O_CLOEXEC));
  dup2(null_device.get(), STDIN_FILENO);  // Which is to close the socket once, with its one owner.
  launcher::Launcher(std::atoi(argv[2]), std::move(socket), Descriptor(epoll_create1(EPOLL_CLOEXEC)),
                     std::move(signals), std::move(null_device))
      .run();
  return 0;
}

}  // namespace gather::process
