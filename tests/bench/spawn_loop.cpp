/// The least that starting processes and capturing their output can cost: posix_spawn, two pipes for each,
/// one epoll set, wait4; no loop, no coroutines, no groups, no reports. The peer that gather's starts are
/// held against.
///
///     bench_spawn_loop COUNT AT_ONCE PROGRAM [ARGUMENT…]
///
/// Exits with 1 if a process could not be started or did not end well.
#include <fcntl.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

struct Child {
  pid_t pid = 0;
  int open_pipes = 0;
  std::string output;
};

struct Pipe {
  Child* child = nullptr;
  int descriptor = -1;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

int make_pipe(int epoll, Child& child, Pipe& pipe) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) give_up("pipe2");
  pipe = {&child, ends[0]};
  ++child.open_pipes;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &pipe;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) != 0) give_up("epoll_ctl");
  return ends[1];
}

void start(int epoll, Child& child, std::array<Pipe, 2>& pipes, char** argv) {
  const int out = make_pipe(epoll, child, pipes[0]);
  const int err = make_pipe(epoll, child, pipes[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  if (posix_spawnp(&child.pid, argv[0], &actions, nullptr, argv, environ) != 0) give_up("posix_spawnp");
  posix_spawn_file_actions_destroy(&actions);
  close(out);
  close(err);
}

// True once both pipes have ended and the process has been reaped.
bool take(Pipe& pipe) {
  // A child that is about to become its program may hold a copy of what we close, and then epoll tells once
  // more.
  if (pipe.descriptor < 0) return false;
  std::array<char, 64 * 1024> piece;
  const ssize_t length = read(pipe.descriptor, piece.data(), piece.size());
  Child& child = *pipe.child;
  if (length > 0) {
    child.output.append(piece.data(), static_cast<std::size_t>(length));
    return false;
  }
  close(std::exchange(pipe.descriptor, -1));
  if (--child.open_pipes > 0) return false;
  int status = 0;
  rusage usage{};
  if (wait4(child.pid, &status, 0, &usage) != child.pid) give_up("wait4");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) std::exit(1);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const auto count = std::strtoul(argv[1], nullptr, 10);
  const auto at_once = std::strtoul(argv[2], nullptr, 10);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) give_up("epoll_create1");
  std::vector<Child> children(count);
  std::vector<std::array<Pipe, 2>> pipes(count);
  unsigned long started = 0;
  unsigned long ended = 0;
  while (ended < count) {
    for (; started < count && started - ended < at_once; ++started)
      start(epoll, children[started], pipes[started], argv + 3);
    std::array<epoll_event, 64> events;
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i)
      if (take(*static_cast<Pipe*>(events[static_cast<unsigned>(i)].data.ptr))) ++ended;
  }
}
