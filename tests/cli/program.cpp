#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

namespace gather::test {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  return {ends[0], ends[1]};
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('='));
    // Of the make that runs these tests a program must know nothing.
    if (!name.starts_with("GATHER_") && name != "NO_COLOR" && name != "MAKEFLAGS" && name != "MAKELEVEL" &&
        name != "MFLAGS" && !added.contains(name))
      entries.push_back(text);
  }
  for (const auto& [name, value] : added) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "gather-test-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::write(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories((path_ / name).parent_path());
  std::ofstream(path_ / name, std::ios::binary) << text;
}

std::string Folder::read(const std::string& name) const {
  std::ifstream file(path_ / name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Program::Program(const Start& start) {
  // All of the input is in the pipe before the program starts: one that ends unread would be our SIGPIPE.
  const Pipe in = make_pipe();
  REQUIRE(fcntl(in.write, F_SETPIPE_SZ, std::max<int>(65536, static_cast<int>(start.input.size()))) > 0);
  REQUIRE(write(in.write, start.input.data(), start.input.size()) ==
          static_cast<ssize_t>(start.input.size()));
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  out_ = out.read;
  err_ = err.read;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write, 2);
  if (!start.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, start.folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::vector<std::string> argv = start.argv;
  std::vector<std::string> environment = environment_with(start.environment);
  const int error = posix_spawnp(&pid_, argv.front().c_str(), &actions, &attributes, pointers(argv).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  for (const int end : {in.read, in.write, out.write, err.write}) close(end);
  REQUIRE(error == 0);
}

Program::~Program() {
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  for (const int end : {out_, err_})
    if (end >= 0) close(end);
}

void Program::signal(int number) const { REQUIRE(kill(pid_, number) == 0); }

std::size_t Program::peak_memory_kb() const {
  std::ifstream status(fmt::format("/proc/{}/status", pid_));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  return 0;
}

bool Program::read_some(std::chrono::steady_clock::time_point until) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  std::array<pollfd, 2> ends{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
  if (out_ < 0 && err_ < 0) return false;
  if (poll(ends.data(), ends.size(), static_cast<int>(std::max<long long>(left.count(), 0))) == 0)
    FAIL(fmt::format("still running after {} s; stdout:\n{}\nstderr:\n{}", deadline.count(), ending_.out,
                     ending_.err));
  const auto drain = [](int& end, const pollfd& seen, std::string& text) {
    if (seen.revents == 0) return;
    std::array<char, 65536> buffer;
    const ssize_t bytes = read(end, buffer.data(), buffer.size());
    if (bytes > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(bytes));
    } else {
      close(end);
      end = -1;
    }
  };
  drain(out_, ends[0], ending_.out);
  drain(err_, ends[1], ending_.err);
  return true;
}

void Program::wait_for_err(const std::string& text) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (!ending_.err.contains(text))
    if (!read_some(until)) FAIL("ended before it said " + text + "; it said:\n" + ending_.err);
}

void Program::wait_for_out(const std::string& text) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  for (std::size_t seen = 0; ending_.out.find(text, seen) == std::string::npos;) {
    seen = ending_.out.size() - std::min(ending_.out.size(), text.size());  // It may come in two pieces.
    if (!read_some(until))
      FAIL("ended before it wrote " + text + "; it wrote:\n" + ending_.out + ending_.err);
  }
}

Ending Program::end() {
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (read_some(until)) {
  }
  int status = 0;
  REQUIRE(waitpid(pid_, &status, 0) == pid_);
  pid_ = -1;
  ending_.signalled = WIFSIGNALED(status);
  ending_.status = ending_.signalled ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return std::move(ending_);
}

Gather& Gather::file(const std::string& name, const std::string& text) {
  folder_.write(name, text);
  return *this;
}

Gather& Gather::variable(const std::string& name, const std::string& value) {
  environment_[name] = value;
  return *this;
}

Gather& Gather::input(const std::string& text) {
  input_ = text;
  return *this;
}

Program Gather::start(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), GATHER_PROGRAM);
  return Program({std::move(arguments), folder_.path(), environment_, input_});
}

std::vector<std::string> processes_with(const std::string& word) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();  // Does not throw when the process goes between opening and reading.
    std::string command = content.str();
    std::ranges::replace(command, '\0', ' ');
    if (command.contains(word)) found.push_back(pid + " " + command);
  }
  return found;
}

void look_again_soon() { poll(nullptr, 0, 5); }

std::string unique_word() { return fmt::format("mark-{}-{:08x}", getpid(), std::random_device()()); }

}  // namespace gather::test
