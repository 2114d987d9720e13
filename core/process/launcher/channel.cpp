#include "core/process/launcher/channel.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace gather::process::launcher {
namespace {

constexpr std::size_t packet_size = std::size_t{48} * 1024;
constexpr std::size_t packet_descriptors = 240;  // The kernel takes 253.

/// Stands before each message.
struct Header {
  std::uint32_t size = 0;  // Of the body that follows.
  std::uint8_t kind = 0;
  std::uint8_t descriptors = 0;
  bool in_file = false;  // The body is in the last of the descriptors, and does not follow.
  std::uint64_t id = 0;
};

/// A file in memory that holds `bytes`; empty with errno set if there can be none.
Descriptor file_of(std::string_view bytes) {
  Descriptor file(memfd_create("gather", MFD_CLOEXEC));
  while (file && !bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return {};
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return file;
}

std::string content_of(const Descriptor& file) {
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0) return {};
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t length =
        pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return {};
    done += static_cast<std::size_t>(length);
  }
  return bytes;
}

}  // namespace

struct Channel::Input {
  std::array<char, packet_size + 4096> bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(packet_descriptors * sizeof(int))> control;
};

std::expected<std::pair<Descriptor, Descriptor>, int> make_socket_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    return std::unexpected(errno);
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

int Channel::send(std::uint8_t kind, std::uint64_t id, std::string_view body,
                  std::span<const int> descriptors) {
  Header header{.kind = kind, .descriptors = static_cast<std::uint8_t>(descriptors.size()), .id = id};
  Descriptor file;
  if (body.size() + sizeof header > packet_size) {
    file = file_of(body);
    if (!file) return errno;
    header.in_file = true;
    ++header.descriptors;
    body = {};
  }
  header.size = static_cast<std::uint32_t>(body.size());
  if (packets_.empty() || packets_.back().bytes.size() + sizeof header + body.size() > packet_size ||
      packets_.back().descriptors.size() + header.descriptors > packet_descriptors)
    packets_.emplace_back();
  Packet& packet = packets_.back();
  packet.bytes.append(reinterpret_cast<const char*>(&header), sizeof header).append(body);
  packet.descriptors.insert(packet.descriptors.end(), descriptors.begin(), descriptors.end());
  if (file) {
    packet.descriptors.push_back(file.get());
    packet.files.push_back(std::move(file));
  }
  return 0;
}

bool Channel::flush() {
  for (; !packets_.empty(); packets_.pop_front()) {
    Packet& packet = packets_.front();
    iovec bytes{packet.bytes.data(), packet.bytes.size()};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(packet_descriptors * sizeof(int))> control{};
    if (!packet.descriptors.empty()) {
      const std::size_t size = packet.descriptors.size() * sizeof(int);
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(size);
      cmsghdr* const rights = CMSG_FIRSTHDR(&message);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(size);
      std::memcpy(CMSG_DATA(rights), packet.descriptors.data(), size);
    }
    ssize_t sent = 0;
    do sent = sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    // ETOOMANYREFS: as many descriptors are under way as this user may have; they arrive in a moment.
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS))
      return false;
  }
  return true;
}

Channel::Took Channel::receive(const std::function<void(Message&)>& handle) {
  if (!socket_) return Took::end;
  if (!input_) input_ = std::make_shared<Input>();
  const std::shared_ptr<Input> input = input_;  // `handle` may close or replace us.
  iovec bytes{input->bytes.data(), input->bytes.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = input->control.data();
  message.msg_controllen = input->control.size();
  const ssize_t length = recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) return errno == EAGAIN || errno == EINTR ? Took::nothing : Took::end;
  if (length == 0) return Took::end;

  std::vector<Descriptor> descriptors;
  for (const cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(part))) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    std::array<int, packet_descriptors> numbers{};
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(numbers.data(), CMSG_DATA(part), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) descriptors.emplace_back(numbers[i]);
  }

  std::string_view rest(input->bytes.data(), static_cast<std::size_t>(length));
  std::size_t taken = 0;
  while (rest.size() >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, rest.data(), sizeof header);
    rest.remove_prefix(sizeof header);
    const std::size_t there = std::min<std::size_t>(header.descriptors, descriptors.size() - taken);
    Message one{.kind = header.kind,
                .id = header.id,
                .body = rest.substr(0, header.size),
                .descriptors = std::span(descriptors).subspan(taken, there),
                .complete = there == header.descriptors};
    rest.remove_prefix(one.body.size());
    taken += there;
    std::string filed;
    if (header.in_file && one.complete) {
      filed = content_of(one.descriptors.back());
      one.body = filed;
      one.descriptors = one.descriptors.first(there - 1);
    }
    handle(one);
  }
  return Took::packet;
}

}  // namespace gather::process::launcher
