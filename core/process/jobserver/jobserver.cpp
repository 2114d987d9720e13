#include "core/process/jobserver/jobserver.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/process/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

namespace gather::process {
namespace {

constexpr char token = '+';
/// The numbers that make itself has for its pipe.
constexpr PipeAuth usual_numbers{3, 4};

Descriptor reopened(int descriptor, int mode) {
  return Descriptor(open(fmt::format("/proc/self/fd/{}", descriptor).c_str(), mode | O_NONBLOCK | O_CLOEXEC));
}

/// Whether these are the two ends of one pipe, each open for what it is there for.
bool is_pipe(const PipeAuth& pipe) {
  struct stat read{};
  struct stat write{};
  if (fstat(pipe.read, &read) != 0 || fstat(pipe.write, &write) != 0) return false;
  const int read_mode = fcntl(pipe.read, F_GETFL) & O_ACCMODE;
  const int write_mode = fcntl(pipe.write, F_GETFL) & O_ACCMODE;
  return S_ISFIFO(read.st_mode) && S_ISFIFO(write.st_mode) && read.st_ino == write.st_ino &&
         read.st_dev == write.st_dev && read_mode != O_WRONLY && write_mode != O_RDONLY;
}

std::expected<Descriptor, std::string> opened_fifo(const std::string& path) {
  struct stat status{};
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(fmt::format("its fifo {} can't be opened: {}", in_quotes(path), why));
  };
  if (stat(path.c_str(), &status) != 0) return refuse(system_error_text(errno));
  if (!S_ISFIFO(status.st_mode)) return refuse("it is no fifo");
  // For both, so that it has no end while others come and go.
  Descriptor fifo(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fifo) return refuse(system_error_text(errno));
  return fifo;
}

std::unexpected<std::string> no_memory(int error) {
  return std::unexpected(fmt::format("there is no memory for its tokens: {}", system_error_text(error)));
}

void put_in(int descriptor, std::size_t tokens) noexcept {
  for (; tokens > 0; --tokens)
    while (write(descriptor, &token, 1) < 0 && errno == EINTR) {
    }
}

}  // namespace

std::vector<async::PassedDescriptor> SharedJobserver::passed() const {
  std::vector<async::PassedDescriptor> all;
  if (!pipe || !in_children) return all;
  all = {{pipe->read, in_children->read}, {pipe->write, in_children->write}};
  if (all[0].as > all[1].as) std::swap(all[0], all[1]);
  return all;
}

Jobserver::Jobserver(Descriptor read, Descriptor write, HeldTokens held)
    : read_(std::move(read)), write_(std::move(write)), held_(std::move(held)) {}

Jobserver::~Jobserver() {
  held_.give_back_all(write_.get());
  if (folder_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::expected<std::unique_ptr<Jobserver>, std::string> Jobserver::join(const JobserverAuth& auth,
                                                                       std::size_t most) {
  auto held = HeldTokens::make(std::min(most, most_slots));
  if (!held) return no_memory(held.error());
  if (const auto* const fifo = std::get_if<FifoAuth>(&auth)) {
    auto opened = opened_fifo(fifo->path);
    if (!opened) return std::unexpected(std::move(opened.error()));
    Descriptor second(fcntl(opened->get(), F_DUPFD_CLOEXEC, 3));
    return std::unique_ptr<Jobserver>(new Jobserver(*std::move(opened), std::move(second), *std::move(held)));
  }
  const PipeAuth& pipe = std::get<PipeAuth>(auth);
  if (!is_pipe(pipe))
    return std::unexpected(
        fmt::format("its descriptors {} and {} are not open here, as make keeps them from "
                    "what is no make; put a + before the line of the recipe",
                    pipe.read, pipe.write));
  Descriptor read = reopened(pipe.read, O_RDONLY);
  Descriptor write = reopened(pipe.write, O_WRONLY);
  if (!read || !write)
    return std::unexpected(fmt::format("its pipe can't be opened: {}", system_error_text(errno)));
  for (const int end : {pipe.read, pipe.write}) fcntl(end, F_SETFD, FD_CLOEXEC);
  std::unique_ptr<Jobserver> joined(new Jobserver(std::move(read), std::move(write), *std::move(held)));
  joined->pipe_ = joined->in_children_ = pipe;
  return joined;
}

std::expected<std::unique_ptr<Jobserver>, std::string> Jobserver::make(std::size_t slots, Style style) {
  assert(slots >= 2 && slots <= most_slots);
  auto held = HeldTokens::make(most_slots);
  if (!held) return no_memory(held.error());
  const auto failed = [](std::string_view what) {
    return std::unexpected(fmt::format("no {} can be made for it: {}", what, system_error_text(errno)));
  };
  std::unique_ptr<Jobserver> made;
  if (style == Style::fifo) {
    std::string folder = (std::filesystem::path(spool_folder()) / "gather-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return failed("folder");
    const std::string path = folder + "/jobserver";
    const bool has_fifo = mkfifo(path.c_str(), 0600) == 0;
    auto opened = has_fifo ? opened_fifo(path) : std::expected<Descriptor, std::string>(Descriptor());
    Descriptor second(has_fifo && opened ? fcntl(opened->get(), F_DUPFD_CLOEXEC, 3) : -1);
    if (!second) {
      const int error = errno;
      std::filesystem::remove_all(folder);
      errno = error;
      return failed("fifo");
    }
    made.reset(new Jobserver(*std::move(opened), std::move(second), *std::move(held)));
    made->folder_ = folder;
  } else {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed("pipe");
    // Out of the way of the numbers that they have in children.
    const Descriptor first(ends[0]);
    const Descriptor second(ends[1]);
    Descriptor pipe_read(fcntl(first.get(), F_DUPFD_CLOEXEC, usual_numbers.write + 1));
    Descriptor pipe_write(fcntl(second.get(), F_DUPFD_CLOEXEC, usual_numbers.write + 1));
    Descriptor read = reopened(first.get(), O_RDONLY);
    Descriptor write = reopened(second.get(), O_WRONLY);
    if (!pipe_read || !pipe_write || !read || !write) return failed("pipe");
    made.reset(new Jobserver(std::move(read), std::move(write), *std::move(held)));
    made->pipe_ = {pipe_read.get(), pipe_write.get()};
    made->in_children_ = usual_numbers;
    made->pipe_read_ = std::move(pipe_read);
    made->pipe_write_ = std::move(pipe_write);
  }
  made->slots_ = slots;
  put_in(made->write_.get(), slots - 1);
  return made;
}

bool Jobserver::take() noexcept {
  settle_debt();
  return held_.take(read_.get());
}

void Jobserver::give_back() noexcept {
  held_.give_back(write_.get());
  settle_debt();
}

SharedJobserver Jobserver::shared() const noexcept {
  return {.pipe = pipe_,
          .in_children = in_children_,
          .give_back_to = pipe_ ? pipe_->write : write_.get(),
          .held = is_ours() ? -1 : held_.descriptor()};
}

std::string Jobserver::makeflags(std::string_view inherited) const {
  if (!is_ours()) return std::string(inherited);
  JobserverAuth auth = in_children_.value_or(PipeAuth{});
  if (!folder_.empty()) auth = FifoAuth{(folder_ / "jobserver").string()};
  return with_jobserver(inherited, auth, slots_);
}

void Jobserver::set_slots(std::size_t slots) noexcept {
  slots = std::min(slots, most_slots);
  if (slots > slots_) {
    const std::size_t more = slots - slots_;
    const std::size_t forgiven = std::min(more, debt_);
    debt_ -= forgiven;
    put_in(write_.get(), more - forgiven);
  } else {
    debt_ += slots_ - slots;
  }
  slots_ = slots;
  settle_debt();
}

void Jobserver::settle_debt() noexcept {
  for (char byte = 0; debt_ > 0 && read(read_.get(), &byte, 1) == 1;) --debt_;
}

void Jobserver::restore() noexcept {
  settle_debt();
  int there = 0;
  if (ioctl(read_.get(), FIONREAD, &there) != 0) return;
  const std::size_t wanted = slots_ - 1 + debt_;
  const auto count = static_cast<std::size_t>(there);
  if (count < wanted) {
    lost_ += wanted - count;
    put_in(write_.get(), wanted - count);
    settle_debt();
  }
  char byte = 0;
  for (std::size_t surplus = count > wanted ? count - wanted : 0;
       surplus > 0 && read(read_.get(), &byte, 1) == 1; --surplus) {
  }
}

}  // namespace gather::process
