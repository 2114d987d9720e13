#include "core/run/inputs.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/process/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <variant>

namespace gather::run {
namespace {

using process::Descriptor;
using Opened = std::expected<Descriptor, std::string>;

std::unexpected<std::string> cannot(std::string_view what, int error) {
  return std::unexpected(fmt::format("{}: {}", what, system_error_text(error)));
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// At its beginning again.
Opened rewound(Descriptor file) {
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Open {
  const std::filesystem::path& directory;
  const std::unordered_map<job::TaskId, std::shared_ptr<const Output>>& kept;

  Opened operator()(const std::string& text) const {
    constexpr std::size_t most_in_memory = std::size_t{1} << 20;
    Descriptor file = text.size() <= most_in_memory ? Descriptor(memfd_create("stdin", MFD_CLOEXEC))
                                                    : process::open_nameless_file();
    if (!file || !write_all(file.get(), text)) return cannot("its standard input can't be kept", errno);
    return rewound(std::move(file));
  }

  Opened operator()(const job::StandardInput::File& from) const {
    const std::filesystem::path path = directory / from.path;
    const std::string what =
        fmt::format("its standard input {} can't be read", in_quotes(path.string(), 200));
    // Not waiting for the writer of a named pipe; the process itself is to wait when it reads.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!file || fstat(file.get(), &status) != 0) return cannot(what, errno);
    if (S_ISDIR(status.st_mode)) return cannot(what, EISDIR);
    fcntl(file.get(), F_SETFL, fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);
    return file;
  }

  Opened operator()(const job::StandardInput::Of& of) const {
    const auto found = kept.find(of.task);
    if (found == kept.end() || !found->second) return Descriptor();  // It wrote nothing.
    Descriptor file = process::open_nameless_file();
    bool good = bool(file);
    if (good)
      found->second->read([&](std::string_view piece) { good = good && write_all(file.get(), piece); });
    if (!good)
      return cannot(
          fmt::format("its standard input can't be kept in {}", in_quotes(process::spool_folder(), 200)),
          errno);
    return rewound(std::move(file));
  }
};

const job::StandardInput::Of* output_read_by(const job::Task& task) {
  return task.input ? std::get_if<job::StandardInput::Of>(&task.input->from) : nullptr;
}

}  // namespace

Inputs::Inputs(const job::Job& job) : job_(job) {
  for (const job::Task& task : job.tasks)
    if (const auto* const of = output_read_by(task)) ++readers_[of->task];
}

Opened Inputs::open(const job::Task& task) const {
  if (!task.input) return Descriptor();
  return std::visit(Open{job_.directory, kept_}, task.input->from);
}

void Inputs::task_ended(job::TaskId id, const TaskRecord& task, std::span<const AttemptOutput> outputs) {
  if (is_read(id) && is_success(task.state) && !outputs.empty()) kept_[id] = outputs.back().out;
  const auto* const of = output_read_by(job_[id]);
  if (of == nullptr) return;
  const auto readers = readers_.find(of->task);
  if (--readers->second > 0) return;
  readers_.erase(readers);
  kept_.erase(of->task);
}

}  // namespace gather::run
