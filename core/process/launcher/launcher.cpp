#include "core/process/launcher/launcher.hpp"

#include "core/process/descriptor.hpp"
#include "core/process/group.hpp"
#include "core/process/launcher/children.hpp"
#include "core/process/launcher/isolation.hpp"
#include "core/process/launcher/jobserver_share.hpp"
#include "core/process/launcher/messages.hpp"
#include "core/process/launcher/replies.hpp"
#include "core/process/launcher/short_slices.hpp"
#include "core/process/launcher/start_queue.hpp"
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
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace gather::process {
namespace launcher {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What has left its group gets this between SIGTERM and SIGKILL.
constexpr Duration stray_grace = 200ms;
/// An orphan that has ended stays a zombie no longer than this.
constexpr Duration longest_unreaped = 100ms;

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
    watch(starts_.descriptor(), starts_key);
  }

  /// Until gather closes the socket, in whatever way; then ends what is left.
  void run() {
    while (!gather_gone_) {
      std::array<epoll_event, 64> events;
      const int count =
          epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), longest_wait_ms());
      for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)]);
      flush();  // Before all else, so that gather thinks of the next start meanwhile.
      if (!gather_gone_) start_some();
      reap_orphans();
      flush();
    }
    end_all();
  }

 private:
  // What epoll gives back; anything else is the id of a child.
  static constexpr std::uint64_t socket_key = ~std::uint64_t{0};
  static constexpr std::uint64_t signals_key = socket_key - 1;
  static constexpr std::uint64_t starts_key = signals_key - 1;

  /// For epoll_wait; negative: until something happens.
  int longest_wait_ms() const {
    if (starts_.has_next()) return 0;
    const auto due = replies_.due();
    if (!due) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - Clock::now());
    return std::max(0, static_cast<int>(left.count()));
  }

  bool watch(int descriptor, std::uint64_t key, std::uint32_t events = EPOLLIN) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
  }

  void handle(const epoll_event& event) {
    if (event.data.u64 == signals_key) {
      take_signals();
    } else if (event.data.u64 == starts_key) {
      take_started(starts_.through());
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

  /// Those of all packets that have come, since threads help with starts that wait together.
  void take_requests() {
    constexpr int most_packets = 8;  // Others have waited, too.
    auto took = Channel::Took::packet;
    for (int packet = 0; packet < most_packets && took == Channel::Took::packet; ++packet)
      took = channel_.receive([this](Channel::Message& message) { take(message); });
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
      take_start(message);
      return;
    }
    switch (kind) {
      case Kind::sweep:
        sweep();
        return;
      case Kind::pause:
        starts_.pause();
        signal_everything(SIGSTOP);
        return;
      case Kind::resume:
        signal_everything(SIGCONT);
        starts_.go_on();
        return;
      case Kind::share:
        if (jobserver_.take(message)) replies_.say(Kind::shares, 0);
        return;
      default:
        break;
    }
    Child* const child = children_.find(message.id);
    if (child == nullptr) return;  // Reaped before the message came.
    switch (kind) {
      case Kind::signal: {
        int number = 0;
        Reader(message.body) >> number;
        kill(-child->pid, number);
        child->policy.leave = false;  // What is stopped leaves nothing.
        break;
      }
      case Kind::alone:
        replies_.tell(Kind::is_alone, message.id, is_last_of_group(child->pid));
        break;
      case Kind::reap:
        replies_.tell(Kind::reaped, message.id, reap(message.id));
        break;
      case Kind::forget:
        reap(message.id);
        break;
      default:
        break;
    }
  }

  void take_start(Channel::Message& message) {
    if (!message.complete) {
      refuse(message.id, async::explain_descriptors(EMFILE));
      return;
    }
    auto start = std::make_unique<Start>(message.id);
    Reader body(message.body);
    body >> start->request;
    for (Descriptor& descriptor : message.descriptors) start->descriptors.push_back(std::move(descriptor));
    async::ChildSpec& spec = start->request.spec;
    spec.dispositions = dispositions_;
    if (start->request.has_common)
      spec.environment = async::Environment(common_, std::move(spec.environment).own());
    for (int* const stream : {&spec.stdin_fd, &spec.stdout_fd, &spec.stderr_fd}) {
      if (*stream >= 0)
        *stream = start->descriptors.at(static_cast<std::size_t>(*stream)).get();
      else if (*stream == async::ChildSpec::null_device)
        *stream = null_.get();
    }
    start->passed.assign(jobserver_.passed().begin(), jobserver_.passed().end());
    starts_.push(std::move(start));
  }

  /// As many as a millisecond allows: others may have ended meanwhile, and gather waits for answers.
  void start_some() {
    const auto until = Clock::now() + 1ms;
    while (auto start = starts_.pop()) {
      std::optional<Init> init;
      if (start->request.policy.isolate) {
        // Its init is a copy of this process, in which other threads would stand still in the midst of
        // things.
        const auto held = hold_starts();
        start->outcome = start_isolated(start->request.spec, start->passed, init);
      } else {
        start->outcome = async::start_child(start->request.spec, async::StartPath::automatic, start->passed);
      }
      take_started(*start, std::move(init));
      if (Clock::now() >= until) return;
    }
  }

  void take_started(const std::vector<std::unique_ptr<Start>>& through) {
    for (const auto& start : through) take_started(*start);
  }

  void take_started(const Start& start, std::optional<Init> init = {}) {
    if (!start.outcome) {
      refuse(start.id, start.outcome.error());
      return;
    }
    const async::StartedChild& started = *start.outcome;
    if (!watch(started.pidfd, start.id)) {
      const auto error = async::explain_descriptors(errno);
      kill(-started.pid, SIGKILL);
      reap_child(started.pid);
      close(started.pidfd);
      refuse(start.id, error);
      return;
    }
    const StartRequest& request = start.request;
    Child child{started.pid, Descriptor(started.pidfd), request.policy, {}, std::move(init)};
    if (child.policy.leave) child.attempt = Staying::attempt_of(request.spec.environment);
    children_.add(start.id, std::move(child));
    replies_.started(start.id, started.pid);
  }

  /// As long as it lives, every child that there is is known, and no other thread starts one.
  [[nodiscard]] std::unique_lock<std::mutex> hold_starts() {
    auto held = starts_.hold();
    take_started(starts_.through(held));
    return held;
  }

  /// What came to us and has ended. While other threads start something, a child of ours may look like that;
  /// so that waits, but not for ever.
  void reap_orphans() {
    if (!orphans_) return;
    const auto now = Clock::now();
    if (!starts_.quiet() && now - last_reaping_ < longest_unreaped) return;
    const auto held = hold_starts();
    orphans_ = false;
    last_reaping_ = now;
    reap_strays(children_.spare_all());
  }

  void refuse(std::uint64_t id, const async::StartError& error) { replies_.tell(Kind::refused, id, error); }

  void child_ended(std::uint64_t id) {
    const Child* const child = children_.find(id);
    if (child == nullptr) return;
    const bool done = Children::is_done(*child);
    // A pidfd stays readable; closing it takes it out as well.
    if (!done) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, child->pidfd.get(), nullptr);
    Writer body;
    body << done << (done ? reap(id) : Reaped{});
    replies_.say(Kind::ended, id, body);
  }

  Reaped reap(std::uint64_t id) {
    orphans_ = true;  // Which it may have hidden as long as it was a zombie itself.
    return children_.reap(id);
  }

  void sweep() {
    const auto held = hold_starts();
    const std::vector<pid_t> left = stop_strays(children_.spare_all());  // So that they can be looked at.
    const std::vector<Leftover> ended = describe(left);
    if (!left.empty()) {
      end_politely(left, stray_grace);
      kill_strays(children_.spare_all());
    }
    std::vector<Leftover> told = describe(children_.staying().alive());  // First, as not all may be told.
    for (Leftover& staying : told) staying.stays = true;
    told.insert(told.end(), ended.begin(), ended.end());
    Writer body;
    constexpr std::size_t most = 100;
    body << static_cast<std::uint32_t>(std::min(told.size(), most));
    for (std::size_t i = 0; i < told.size() && i < most; ++i) body << told[i];
    replies_.say(Kind::swept, 0, body);
  }

  void signal_everything(int number) {
    const auto held = hold_starts();
    children_.signal_all(number);
  }

  /// Signals, and waits until there are no strays any more, or the time is over, or somebody asks us to
  /// hurry.
  void end_politely(const std::vector<pid_t>& processes, Duration grace) {
    signal_all(processes, SIGTERM);
    signal_all(processes, SIGCONT);  // One that is stopped can't even end before it is continued.
    const auto until = Clock::now() + grace;
    hurry_ = false;
    while (!hurry_ && Clock::now() < until && !strays(children_.spare_all()).empty()) {
      pollfd signals{.fd = signals_.get(), .events = POLLIN, .revents = 0};
      poll(&signals, 1, 10);  // Those of others end without a word to us.
      take_signals();
    }
  }

  /// Gather has gone: everything that is left and is not to stay gets its grace, and is ended.
  void end_all() {
    starts_.clear();
    const auto held = hold_starts();
    const Duration grace = children_.longest_grace(stray_grace);
    children_.clear();
    end_politely(strays(children_.spare_staying()), grace);
    kill_strays(children_.spare_staying());
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
    const bool all = replies_.flush();
    if (all == !waits_to_send_) return;
    waits_to_send_ = !all;
    epoll_event event{};
    event.events = EPOLLIN | (waits_to_send_ ? EPOLLOUT : 0u);
    event.data.u64 = socket_key;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, channel_.descriptor(), &event);
  }

  Channel channel_;
  Replies replies_{channel_};
  Descriptor epoll_;
  Descriptor signals_;
  Descriptor null_;
  pid_t gather_;
  // A sanitizer handles some of its own.
  const async::Dispositions dispositions_ =
      async::signals_are_untouched() ? async::Dispositions::are_untouched : async::Dispositions::by_default;
  std::shared_ptr<const async::Environment::Variables> common_;  // Of the environments of children.
  StartQueue starts_;
  JobserverShare jobserver_;
  Children children_;
  bool gather_gone_ = false;
  bool hurry_ = false;
  bool orphans_ = false;  // There may be some to reap.
  Clock::time_point last_reaping_{};
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
