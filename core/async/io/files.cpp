#include "core/async/io/files.hpp"

#include "core/async/io/descriptor.hpp"
#include "core/async/io/file_calls.hpp"
#include "core/async/io/fs.hpp"
#include "core/async/task/error.hpp"
#include "core/async/thread/blocking.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace gather::async {
namespace {

using detail::fail;

// A cancel waits for one slice; a slice this long makes the hop to the thread and back cheap.
constexpr std::size_t slice = std::size_t{1} << 20;
constexpr std::size_t read_ahead = std::size_t{64} << 10;

int flags_of(std::string_view mode) {
  const auto refuse = [&] {
    throw std::invalid_argument("\"" + std::string(mode) + "\" is no mode to open");
  };
  int flags = -1;
  bool both = false;
  for (const char letter : mode) {
    if (letter == '+') {
      both = true;
    } else if (letter != 'b' && letter != 't') {
      if (flags != -1) refuse();
      switch (letter) {
        case 'r':
          flags = O_RDONLY;
          break;
        case 'w':
          flags = O_WRONLY | O_CREAT | O_TRUNC;
          break;
        case 'a':
          flags = O_WRONLY | O_CREAT | O_APPEND;
          break;
        case 'x':
          flags = O_WRONLY | O_CREAT | O_EXCL;
          break;
        default:
          refuse();
      }
    }
  }
  if (flags == -1) refuse();
  return both ? (flags & ~O_ACCMODE) | O_RDWR : flags;
}

}  // namespace

struct File::State {
  State(Descriptor its_descriptor, std::filesystem::path its_path, int flags)
      : descriptor(std::move(its_descriptor)), path(std::move(its_path)) {
    appends = (flags & O_APPEND) != 0;
    const off_t place = lseek(descriptor.get(), 0, appends ? SEEK_END : SEEK_CUR);
    seekable = place >= 0;
    position = seekable ? static_cast<std::uint64_t>(place) : 0;
  }

  std::size_t buffered() const noexcept { return buffer.size() - taken; }

  // The calls of a thread, while the caller waits for it.

  /// Adds up to `most` bytes to the buffer; false at the end of the file.
  bool fill(std::size_t most) {
    if (taken > 0) {
      buffer.erase(0, taken);
      taken = 0;
    }
    return detail::append_from(descriptor.get(), path, buffer, most,
                               seekable ? std::optional(position + buffer.size()) : std::nullopt) > 0;
  }

  /// At `place`, which moves along, also if it fails half-way.
  void put(std::string_view bytes, std::uint64_t& place) const {
    if (seekable && !appends) {
      detail::write_all(descriptor.get(), path, bytes, &place);
    } else {
      detail::write_all(descriptor.get(), path, bytes, nullptr);
      place =
          seekable ? static_cast<std::uint64_t>(lseek(descriptor.get(), 0, SEEK_CUR)) : place + bytes.size();
    }
  }

  // The calls of the loop.

  std::string take(std::size_t count) {
    position += count;
    if (taken == 0 && count == buffer.size()) return std::exchange(buffer, {});
    std::string bytes = buffer.substr(taken, count);
    taken += count;
    return bytes;
  }

  /// What was read ahead is no longer what is in the file, or not what comes next.
  void drop_buffer() noexcept {
    buffer.clear();
    taken = 0;
  }

  Descriptor descriptor;
  std::filesystem::path path;
  std::uint64_t position = 0;  // Of the next byte to take; the buffer begins there.
  std::string buffer;
  std::size_t taken = 0;  // Of the buffer, from the front.
  bool seekable = false;
  bool appends = false;
  bool busy = false;  // A call that goes from the position is under way.
  int calls = 0;      // Of any kind.
};

namespace {

/// Notes that a call is under way.
class Use {
 public:
  explicit Use(File::State& file) : file_(file) {
    if (!file.descriptor) throw InvalidState("the file is closed");
    ++file_.calls;
  }
  ~Use() { --file_.calls; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  File::State& file_;
};

/// The same for one that goes from the position.
class Turn {
 public:
  explicit Turn(File::State& file) : use_(file), file_(file) {
    if (file.busy) throw InvalidState("another task is using this file");
    file_.busy = true;
  }
  ~Turn() { file_.busy = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Use use_;
  File::State& file_;
};

// Not members, as a File may be moved while a generator lives.
Co<std::string> next_line(File::State& file) {
  const Turn turn(file);
  std::size_t searched = 0;  // Of what is buffered.
  for (;;) {
    const std::size_t end = file.buffer.find('\n', file.taken + searched);
    if (end != std::string::npos) co_return file.take(end + 1 - file.taken);
    searched = file.buffered();
    if (!co_await blocking([&] { return file.fill(read_ahead); })) co_return file.take(file.buffered());
  }
}

AsyncGenerator<std::string> all_lines(File::State& file) {
  for (;;) {
    std::string line = co_await next_line(file);
    if (line.empty()) co_return;
    if (line.back() == '\n') line.pop_back();
    co_yield std::move(line);
  }
}

}  // namespace

File::File(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() { assert((!state_ || state_->calls == 0) && "a file must outlive those who wait in it"); }

const std::filesystem::path& File::path() const noexcept { return state_->path; }
int File::descriptor() const noexcept { return state_->descriptor.get(); }
std::uint64_t File::tell() const noexcept { return state_->position; }

Co<std::string> File::read(std::size_t most) {
  State& file = *state_;
  const Turn turn(file);
  while (file.buffered() < most) {
    const std::size_t missing = most - file.buffered();
    if (!co_await blocking([&] { return file.fill(std::clamp(missing, read_ahead, slice)); })) break;
  }
  co_return file.take(std::min(most, file.buffered()));
}

Co<std::string> File::read_all() {
  State& file = *state_;
  const Turn turn(file);
  while (co_await blocking([&] { return file.fill(slice); })) {
  }
  co_return file.take(file.buffered());
}

Co<std::string> File::readline() { return next_line(*state_); }
AsyncGenerator<std::string> File::lines() { return all_lines(*state_); }

Co<> File::write(std::string_view bytes) {
  State& file = *state_;
  const Turn turn(file);
  if (file.seekable) file.drop_buffer();  // Else it is what the other side has sent.
  struct Progress {
    explicit Progress(State& its_file) : file(its_file), place(its_file.position) {}
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { file.position = place; }

    State& file;
    std::uint64_t place;  // The thread's, while the position can be asked for on the loop's.
  } progress(file);
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, slice);
    co_await blocking([&] { file.put(piece, progress.place); });
    file.position = progress.place;
    bytes.remove_prefix(piece.size());
  }
}

Co<std::uint64_t> File::seek(std::int64_t offset, Whence from) {
  State& file = *state_;
  const Turn turn(file);
  std::int64_t base = 0;
  if (!file.seekable) fail("seek", file.path, ESPIPE);
  if (from == Whence::current) base = static_cast<std::int64_t>(file.position);
  if (from == Whence::end)
    base = co_await blocking([&] {
      const off_t size = lseek(file.descriptor.get(), 0, SEEK_END);
      if (size < 0) fail("seek", file.path, errno);
      return static_cast<std::int64_t>(size);
    });
  std::int64_t place = 0;
  if (__builtin_add_overflow(base, offset, &place) || place < 0) fail("seek", file.path, EINVAL);
  file.drop_buffer();
  file.position = static_cast<std::uint64_t>(place);
  co_return file.position;
}

Co<std::string> File::read_at(std::uint64_t offset, std::size_t count) {
  State& file = *state_;
  const Use use(file);
  std::string bytes;
  while (bytes.size() < count) {
    const std::size_t piece = std::min(slice, count - bytes.size());
    const std::size_t got = co_await blocking([&] {
      return detail::append_from(file.descriptor.get(), file.path, bytes, piece, offset + bytes.size());
    });
    if (got == 0) break;
  }
  co_return bytes;
}

Co<> File::write_at(std::uint64_t offset, std::string_view bytes) {
  State& file = *state_;
  const Use use(file);
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, slice);
    co_await blocking([&] { detail::write_all(file.descriptor.get(), file.path, piece, &offset); });
    bytes.remove_prefix(piece.size());
    if (!file.busy) file.drop_buffer();
  }
}

Co<> File::truncate(std::optional<std::uint64_t> size) {
  State& file = *state_;
  const Turn turn(file);
  file.drop_buffer();
  const auto length = static_cast<off_t>(size.value_or(file.position));
  co_await blocking([&] {
    if (ftruncate(file.descriptor.get(), length) != 0) fail("truncate", file.path, errno);
  });
}

Co<> File::fsync(bool data_only) {
  State& file = *state_;
  const Use use(file);
  co_await blocking([&] {
    const int result = data_only ? ::fdatasync(file.descriptor.get()) : ::fsync(file.descriptor.get());
    if (result != 0) fail("fsync", file.path, errno);
  });
}

Co<fs::Status> File::stat() {
  State& file = *state_;
  const Use use(file);
  co_return co_await blocking([&] {
    struct stat answer{};
    if (::fstat(file.descriptor.get(), &answer) != 0) fail("stat", file.path, errno);
    return detail::status_of(answer);
  });
}

Co<> File::close() {
  State& file = *state_;
  if (!file.descriptor) co_return;
  if (file.calls > 0) throw InvalidState("another task is using this file");
  Descriptor closing = std::move(file.descriptor);  // Not the thread's to change; and closed in any case.
  co_await blocking([&] { detail::close_now(closing, file.path); });
}

Co<File> open_file(std::filesystem::path path, std::string mode) {
  const int flags = flags_of(mode);
  co_return co_await blocking([&] {
    Descriptor descriptor = detail::open_now(path, flags);
    return File(std::make_unique<File::State>(std::move(descriptor), path, flags));
  });
}

namespace fs {

Co<File> temporary_file(std::filesystem::path directory) {
  co_return co_await blocking([&] {
    Descriptor descriptor = detail::open_nameless(directory);
    return File(std::make_unique<File::State>(std::move(descriptor), directory, O_RDWR));
  });
}

}  // namespace fs

Co<std::string> read_file(std::filesystem::path path) {
  std::string bytes;
  Descriptor descriptor;
  bool seekable = false;
  const auto read_slice = [&] {
    if (!descriptor) {
      descriptor = detail::open_now(path, O_RDONLY);
      seekable = lseek(descriptor.get(), 0, SEEK_CUR) >= 0;
      struct stat answer{};
      if (fstat(descriptor.get(), &answer) == 0 && S_ISREG(answer.st_mode))
        bytes.reserve(static_cast<std::size_t>(answer.st_size) + 1);  // The end is seen in what is spare.
    }
    for (std::size_t most = slice; most > 0;) {  // A short file needs no second hop to see its end.
      const auto offset = seekable ? std::optional<std::uint64_t>(bytes.size()) : std::nullopt;
      const std::size_t got = detail::append_from(descriptor.get(), path, bytes, most, offset);
      if (got == 0) {
        descriptor.reset();
        return false;
      }
      most -= got;
    }
    return true;
  };
  while (co_await blocking([&] { return read_slice(); })) {
  }
  co_return bytes;
}

Co<> write_file(std::filesystem::path path, std::string bytes) {
  Descriptor descriptor;
  std::string_view left = bytes;
  const auto write_slice = [&] {
    if (!descriptor) descriptor = detail::open_now(path, O_WRONLY | O_CREAT | O_TRUNC);
    const std::string_view piece = left.substr(0, slice);
    detail::write_all(descriptor.get(), path, piece, nullptr);
    left.remove_prefix(piece.size());
    if (left.empty()) detail::close_now(descriptor, path);
    return !left.empty();
  };
  while (co_await blocking([&] { return write_slice(); })) {
  }
}

}  // namespace gather::async
