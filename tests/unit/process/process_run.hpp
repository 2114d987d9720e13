/// Real processes for tests: run one to its end, or watch one from outside.
#pragma once

#include "core/async/combine/timeout.hpp"
#include "core/async/task/future.hpp"
#include "core/process/run_process.hpp"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gather::test {

using async::Co;
using async::Loop;
using process::StartPath;
using namespace std::chrono_literals;

/// The ways to start a child that this build can use.
inline std::vector<StartPath> start_paths() {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return {StartPath::launcher, StartPath::fork, StartPath::uv};
#endif
#endif
  return {StartPath::launcher, StartPath::vfork, StartPath::fork, StartPath::uv};
}

inline std::unique_ptr<process::Starter> starter_on(Loop& loop, StartPath path = StartPath::automatic) {
  return process::make_starter(loop, path, LAUNCHER_PROGRAM);
}

inline std::string text_of(const process::Spool& spool) {
  std::string text;
  spool.read([&text](std::string_view piece) { text += piece; });
  return text;
}

struct Setting {
  StartPath path = StartPath::automatic;
  std::string directory{};
  int stdin_fd = -1;
  process::StopPolicy policy{};
  std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
};

/// What came of one program.
struct Ran {
  std::expected<process::Exit, async::StartError> end;
  process::ProcessResult result;

  std::string out() const { return text_of(result.out); }
  std::string err() const { return text_of(result.err); }
  /// "exit 3", "signal 11", or why it did not start.
  std::string told() const {
    if (!end) return end.error().why;
    return end->signal != 0 ? "signal " + std::to_string(end->signal) : "exit " + std::to_string(end->code);
  }
};

/// Runs a program on a loop of its own, to its end. A test that hangs ends with a TimeoutError.
inline Ran run(std::vector<std::string> argv, const Setting& setting = {}) {
  Loop loop;
  const auto starter = starter_on(loop, setting.path);
  Ran ran{.end = {}, .result = {}};
  ran.end = loop.run(async::timeout(10s, [&] {
    return process::run_process(*starter,
                                {.argv = std::move(argv),
                                 .environment = setting.environment,
                                 .directory = setting.directory,
                                 .stdin_fd = setting.stdin_fd},
                                setting.policy, ran.result);
  }));
  return ran;
}

inline Ran shell(const std::string& script, const Setting& setting = {}) {
  return run({"sh", "-c", script}, setting);
}

/// Looks every millisecond whether `claim` has come true; false after two seconds.
inline Co<bool> eventually(std::function<bool()> claim) {
  for (int i = 0; i < 2000; ++i) {
    if (claim()) co_return true;
    co_await async::sleep(1ms);
  }
  co_return claim();
}

/// The fields of /proc/PID/stat after the name: state, parent, group, session, … Empty if it is gone.
inline std::vector<std::string> process_fields(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::ostringstream content;
  content << file.rdbuf();  // Does not throw when the process goes between opening and reading.
  const std::string text = content.str();
  std::vector<std::string> fields;
  if (text.empty()) return fields;
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

/// How many processes are alive whose field (2: group, 3: session) is `id`; zombies don't count.
inline int count_alive(std::size_t field, const std::string& id) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto fields = process_fields(name);
    if (fields.size() > field && fields[field] == id && fields[0] != "Z" && fields[0] != "X") ++count;
  }
  return count;
}

/// The children of a process, running or zombies.
inline std::vector<std::string> children_of(const std::string& pid) {
  std::vector<std::string> children;
  std::error_code gone;
  std::filesystem::directory_iterator thread("/proc/" + pid + "/task", gone);
  for (; !gone && thread != std::filesystem::directory_iterator(); thread.increment(gone)) {
    std::ifstream file(thread->path() / "children");
    for (std::string child; file >> child;) children.push_back(child);
  }
  return children;
}

/// Whether this process has a child, running or zombie, that is no launcher; or its launcher has one still
/// after two seconds: what it kills of a group comes to it as an orphan, and is reaped a moment later.
inline bool has_children() {
  const auto until = std::chrono::steady_clock::now() + 2s;
  for (const std::string& child : children_of(std::to_string(getpid()))) {
    std::string name;
    std::ifstream("/proc/" + child + "/comm") >> name;
    if (name != "gather-launcher") return true;
    while (!children_of(child).empty()) {
      if (std::chrono::steady_clock::now() > until) return true;
      usleep(1000);
    }
  }
  return false;
}

/// The numbers in `SigBlk: HEX` and `SigIgn: HEX`, a line each: bit n - 1 is signal n.
inline std::pair<unsigned long long, unsigned long long> signal_sets(const std::string& status) {
  std::istringstream lines(status);
  std::string name;
  std::string blocked;
  std::string ignored;
  lines >> name >> blocked >> name >> ignored;
  return {std::stoull(blocked, nullptr, 16), std::stoull(ignored, nullptr, 16)};
}

/// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = "/tmp/gather-test-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view text, mode_t mode = 0644) const {
    std::ofstream(path_ + "/" + name) << text;
    chmod((path_ + "/" + name).c_str(), mode);
  }

 private:
  std::string path_;
};

}  // namespace gather::test
