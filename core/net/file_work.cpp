#include "core/net/file_work.hpp"

#include "core/net/download.hpp"
#include "core/net/nameless_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gather::net {

std::optional<Digest> digest_of(OwnDescriptor file, std::uint64_t size, Algorithm algorithm) {
  Digest digest(algorithm);
  if (!update_from(digest, file.number(), size)) return std::nullopt;
  return digest;
}

std::optional<std::string> fault_in_file(OwnDescriptor file, std::uint64_t size,
                                         const BodyExpectation& fault_in) {
  if (size > longest_kept_body)
    return fmt::format("the body has {} bytes, and only {} MB of one are looked into", size,
                       longest_kept_body / 1'000'000);
  std::string body(size, '\0');
  std::size_t done = 0;
  while (done < body.size()) {
    const ssize_t count =
        pread(file.number(), body.data() + done, body.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return "the body can't be read back from the disk";
    done += static_cast<std::size_t>(count);
  }
  return fault_in(body);
}

std::optional<std::string> fault_in_text(const std::string& body, const BodyExpectation& fault_in) {
  return fault_in(body);
}

int sync_to_disk(OwnDescriptor file) { return file.valid() && fsync(file.number()) == 0 ? 0 : errno; }

int give_attributes(int descriptor, const Attributes& attributes) noexcept {
  if (attributes.mode && fchmod(descriptor, *attributes.mode) != 0) return errno;
  if (attributes.changed) {
    const timespec times[2]{{0, UTIME_OMIT}, {*attributes.changed, 0}};
    futimens(descriptor, times);  // An owner's right; no reason to lose a whole file.
  }
  if (attributes.version) stick_version(descriptor, *attributes.version);
  return 0;
}

NewFileOutcome make_new_file(NewFile& file) {
  using enum NewFileOutcome::Fault;
  if (const auto made = NamelessFile::make_in(file.folder)) {
    if (const int error = made->write(file.body)) return {write, error, {}};
    if (const int error = give_attributes(made->descriptor(), file.attributes)) return {mode, error, {}};
    if (made->name(file.folder, file.name) == NamelessFile::Naming::done) return {};
  }
  return {none, 0, std::move(file.body)};
}

void let_go(OwnDescriptor) {}

}  // namespace gather::net
