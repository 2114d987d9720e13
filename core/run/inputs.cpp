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

Opened opened_file(const std::filesystem::path& path) {
  const std::string what = fmt::format("its standard input {} can't be read", in_quotes(path.string(), 200));
  // Not waiting for the writer of a named pipe; the process itself is to wait when it reads.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0) return cannot(what, errno);
  if (S_ISDIR(status.st_mode)) return cannot(what, EISDIR);
  fcntl(file.get(), F_SETFL, fcntl(file.get(), F_GETFL) & ~O_NONBLOCK);
  return file;
}

Opened opened_copy(const Output& output) {
  Descriptor file = process::open_nameless_file();
  bool good = bool(file);
  if (good) output.read([&](std::string_view piece) { good = good && write_all(file.get(), piece); });
  if (!good)
    return cannot(
        fmt::format("its standard input can't be kept in {}", in_quotes(process::spool_folder(), 200)),
        errno);
  return rewound(std::move(file));
}

const job::StandardInput::Of* output_read_by(const job::Task& task) {
  return task.input ? std::get_if<job::StandardInput::Of>(&task.input->from) : nullptr;
}

}  // namespace

struct Inputs::Open {
  const std::filesystem::path& directory;
  const std::unordered_map<job::TaskId, Kept>& kept;

  Opened operator()(const std::string& text) const {
    constexpr std::size_t most_in_memory = std::size_t{1} << 20;
    Descriptor file = text.size() <= most_in_memory ? Descriptor(memfd_create("stdin", MFD_CLOEXEC))
                                                    : process::open_nameless_file();
    if (!file || !write_all(file.get(), text)) return cannot("its standard input can't be kept", errno);
    return rewound(std::move(file));
  }

  Opened operator()(const job::StandardInput::File& from) const { return opened_file(directory / from.path); }

  Opened operator()(const job::StandardInput::Of& of) const {
    const auto found = kept.find(of.task);
    if (found == kept.end()) return Descriptor();  // It did not run well.
    if (const auto* const path = std::get_if<std::filesystem::path>(&found->second))
      return opened_file(*path);
    const auto& output = std::get<std::shared_ptr<const Output>>(found->second);
    return output ? opened_copy(*output) : Descriptor();  // Nothing: it wrote nothing.
  }
};

Inputs::Inputs(const job::Job& job) : job_(job) {
  for (const job::Task& task : job.tasks)
    if (const auto* const of = output_read_by(task)) ++readers_[of->task];
}

Opened Inputs::open(const job::Task& task) const {
  if (!task.input) return Descriptor();
  return std::visit(Open{job_.directory, kept_}, task.input->from);
}

Inputs::Kept Inputs::kept_of(job::TaskId id, const TaskRecord& task,
                             std::span<const AttemptOutput> outputs) const {
  const job::Task& ran = task.filled ? *task.filled : job_[id];
  if (const auto* const fetch = std::get_if<std::unique_ptr<const job::Fetch>>(&ran.action)) {
    const auto& transfer = task.attempts.back().transfer;
    if (transfer && !transfer->saved_as.empty()) return std::filesystem::path(transfer->saved_as);
    if ((*fetch)->output) return job_.directory / *(*fetch)->output;
    return outputs.back().body;
  }
  return outputs.back().out;
}

void Inputs::task_ended(job::TaskId id, const TaskRecord& task, std::span<const AttemptOutput> outputs) {
  if (is_read(id) && is_success(task.state) && !outputs.empty()) kept_[id] = kept_of(id, task, outputs);
  const auto* const of = output_read_by(job_[id]);
  if (of == nullptr) return;
  const auto readers = readers_.find(of->task);
  if (--readers->second > 0) return;
  readers_.erase(readers);
  kept_.erase(of->task);
}

}  // namespace gather::run
