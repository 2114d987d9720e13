#include "core/process/pipe_stock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gather::process {
namespace {

std::expected<Pipe, int> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno);
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe;
}

}  // namespace

std::expected<Pipe, int> PipeStock::take() {
  if (stock_.empty()) return make_pipe();
  Pipe pipe = std::move(stock_.back());
  stock_.pop_back();
  return pipe;
}

void PipeStock::refill() {
  while (stock_.size() < most) {
    auto pipe = make_pipe();
    if (!pipe) return;
    stock_.push_back(std::move(*pipe));
  }
}

}  // namespace gather::process
