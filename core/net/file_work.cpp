#include "core/net/file_work.hpp"

#include "core/net/download.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

namespace gather::net {

std::optional<Digest> digest_of(OwnDescriptor file, std::uint64_t size, Algorithm algorithm) {
  Digest digest(algorithm);
  if (!update_from(digest, file.number(), size)) return std::nullopt;
  return digest;
}

std::optional<std::string> fault_in_file(OwnDescriptor file, std::uint64_t size, BodyExpectation fault_in) {
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

std::optional<std::string> fault_in_text(const std::string& body, BodyExpectation fault_in) {
  return fault_in(body);
}

int sync_to_disk(OwnDescriptor file) { return file.valid() && fsync(file.number()) == 0 ? 0 : errno; }

void let_go(OwnDescriptor) {}

}  // namespace gather::net
