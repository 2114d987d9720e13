/// A task's program that is hard to get rid of, each shape in its own way:
///
///     child_shape plain|grandchild|setsid|daemonised|stubborn|hopping|undying
///
/// It and what it starts wait for a signal to end them; `hopping` ends at once, and leaves one that has
/// another number and session every millisecond; `undying` has cleared its death signal, as a setuid program
/// does, and says so by a file `undying.on`. After two minutes they end by themselves, so that a test that
/// fails leaves nothing on the machine for ever.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <string_view>

namespace {

[[noreturn]] void wait_for_the_end() {
  alarm(120);
  for (;;) pause();
}

void lose_streams() {
  const int nowhere = open("/dev/null", O_RDWR);
  for (int stream = 0; stream < 3; ++stream) dup2(nowhere, stream);
}

void hop() {
  const time_t end = time(nullptr) + 120;
  while (time(nullptr) < end) {
    if (fork() != 0) _exit(0);
    setsid();
    usleep(1000);
  }
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view shape = argc > 1 ? argv[1] : "";
  if (shape == "grandchild") {
    fork();
  } else if (shape == "setsid") {
    if (fork() == 0) setsid();
  } else if (shape == "daemonised") {
    if (fork() == 0) {
      setsid();
      if (fork() != 0) _exit(0);
      lose_streams();
      if (chdir("/") != 0) return 1;
    }
  } else if (shape == "hopping") {
    lose_streams();
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
    hop();
  } else if (shape == "stubborn") {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_IGN);
  } else if (shape == "undying") {
    prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    close(open("undying.on", O_WRONLY | O_CREAT, 0600));
  } else if (shape != "plain") {
    return 2;
  }
  wait_for_the_end();
}
