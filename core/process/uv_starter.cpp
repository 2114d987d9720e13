/// Children of uv_spawn, for systems without pidfd and close_range. libuv reaps a child before it tells, so
/// that usage is unknown, and the group's number is held only by whoever is left in it.
#include "core/process/group.hpp"
#include "core/process/starter.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <string_view>
#include <vector>

namespace gather::process {
namespace {

/// What libuv may touch until its close callback; it outlives its UvChild where it must.
struct Block {
  uv_process_t handle{};
  Bell* bell = nullptr;  // Null once nobody is interested.
  bool running = false;
  Exit exit{};

  static void on_exit(uv_process_t* handle, std::int64_t code, int signal) {
    auto& block = *static_cast<Block*>(handle->data);
    block.running = false;
    block.exit = {.code = static_cast<int>(code), .signal = signal};
    if (block.bell != nullptr)
      block.bell->ring();
    else
      block.close();
  }

  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle),
             [](uv_handle_t* closed) { delete static_cast<Block*>(closed->data); });
  }
};

class UvChild final : public Child {
 public:
  UvChild(Block& block, bool leave) noexcept : block_(&block), group_(block.handle.pid), leave_(leave) {}
  ~UvChild() override {
    if (!block_->running) {
      block_->close();
      return;
    }
    kill(-group_, SIGKILL);
    block_->bell = nullptr;  // Its exit callback closes it.
  }

  bool ended() const noexcept override { return !block_->running; }

  void signal(int number) noexcept override {
    // Group numbers aren't given out again while a member lives; without one this finds nobody.
    if (!reaped_) kill(-group_, number);
    leave_ = false;
  }

  async::Co<bool> alone() override {
    co_return (kill(-group_, 0) != 0 && errno == ESRCH) || !lives_in_group(group_);
  }

  async::Co<Reaped> reap() override {
    assert(ended() && !reaped_);
    if (!leave_ || block_->exit != Exit{}) kill(-group_, SIGKILL);
    reaped_ = true;
    co_return Reaped{.exit = block_->exit, .usage = std::nullopt};
  }

 private:
  Block* block_;
  pid_t group_;
  bool leave_;
  bool reaped_ = false;
};

/// uv_spawn passes on every descriptor that is not close-on-exec.
void close_all_on_exec() {
  constexpr unsigned close_on_exec = 4;  // CLOSE_RANGE_CLOEXEC, which old headers lack.
  if (close_range(3, ~0u, close_on_exec) == 0) return;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::string name = entry.path().filename();
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number > 2) fcntl(number, F_SETFD, FD_CLOEXEC);
  }
}

/// Whether the kernel may take it. libuv hands what it refuses to a shell, so text without `#!` must not get
/// that far; programs for other machines do, and end as the shell says.
bool has_program_format(const std::string& path) {
  std::array<char, 128> head{};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return true;  // Executable, and not readable: let the kernel judge.
  const ssize_t length = read(descriptor, head.data(), head.size());
  close(descriptor);
  const std::string_view text(head.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  if (text.starts_with("#!")) return text.find_first_not_of(" \t", 2) < text.find('\n');
  return text.contains('\0');
}

/// Finds the program as start_child would; an error as errno.
std::expected<std::string, int> find_program(const async::ChildSpec& spec) {
  int error = ENOENT;
  for (const std::string& candidate : async::program_candidates(spec)) {
    const std::string path =
        candidate.starts_with('/') || spec.directory.empty() ? candidate : spec.directory + "/" + candidate;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) continue;
    if (!S_ISREG(status.st_mode) || access(path.c_str(), X_OK) != 0) {
      error = EACCES;
      continue;
    }
    if (!has_program_format(path)) return std::unexpected(ENOEXEC);
    return candidate;
  }
  return std::unexpected(error);
}

int error_of_directory(const std::string& directory) {
  struct stat status{};
  if (directory.empty()) return 0;
  if (stat(directory.c_str(), &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return access(directory.c_str(), X_OK) != 0 ? errno : 0;
}

class UvStarter final : public Starter {
 public:
  explicit UvStarter(async::Loop& loop) noexcept : loop_(loop) {}

  async::Co<std::expected<std::unique_ptr<Child>, async::StartError>> start(const async::ChildSpec& spec,
                                                                            Bell& ended,
                                                                            ChildPolicy policy) override {
    using async::StartStep;
    if (policy.isolate) co_return std::unexpected(explain_no_isolation());
    if (const int error = error_of_directory(spec.directory); error != 0)
      co_return std::unexpected(explain_start(spec, StartStep::directory, error));
    const auto program = find_program(spec);
    if (!program) co_return std::unexpected(explain_start(spec, StartStep::program, program.error()));

    std::vector<uv_stdio_container_t> streams(
        passed_.empty() ? 3 : static_cast<std::size_t>(passed_.back().as) + 1);
    for (uv_stdio_container_t& stream : streams) stream.flags = UV_IGNORE;
    for (const async::PassedDescriptor& passed : passed_) {
      streams[static_cast<std::size_t>(passed.as)].flags = UV_INHERIT_FD;
      streams[static_cast<std::size_t>(passed.as)].data.fd = passed.from;
    }
    for (std::size_t i = 0; const int descriptor : {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd}) {
      streams[i].flags = descriptor < 0 ? UV_IGNORE : UV_INHERIT_FD;  // UV_IGNORE is /dev/null.
      streams[i++].data.fd = descriptor;
    }
    std::vector<char*> argv = async::exec_pointers(spec.argv);
    std::vector<char*> environment = spec.environment.pointers();
    uv_process_options_t options{};
    options.exit_cb = Block::on_exit;
    options.file = program->c_str();
    options.args = argv.data();
    options.env = environment.data();
    options.cwd = spec.directory.empty() ? nullptr : spec.directory.c_str();
    options.flags = UV_PROCESS_DETACHED;
    options.stdio_count = static_cast<int>(streams.size());
    options.stdio = streams.data();

    close_all_on_exec();
    auto* const block = new Block{.bell = &ended};
    block->handle.data = block;
    const int error = uv_spawn(&loop_.poller().uv(), &block->handle, &options);
    if (error != 0) {
      block->close();  // Also after a failure the handle may be in the loop's lists.
      co_return std::unexpected(explain_start(spec, StartStep::program, -error));
    }
    block->running = true;
    co_return std::make_unique<UvChild>(*block, policy.leave);
  }

  void share(const SharedJobserver& jobserver, std::function<void()> ready) override {
    passed_ = jobserver.passed();
    ready();
  }

 private:
  async::Loop& loop_;
  std::vector<async::PassedDescriptor> passed_;
};

}  // namespace

std::unique_ptr<Starter> make_uv_starter(async::Loop& loop) { return std::make_unique<UvStarter>(loop); }

}  // namespace gather::process
