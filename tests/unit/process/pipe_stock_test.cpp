// Pipes that are made before they are needed.
#include "core/process/pipe_stock.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <expected>
#include <filesystem>
#include <iterator>
#include <vector>

using namespace gather::process;

namespace {

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

void check_pipe(const Pipe& pipe) {
  std::array<char, 8> bytes{};
  CHECK(read(pipe.reading.get(), bytes.data(), bytes.size()) < 0);
  CHECK(errno == EAGAIN);
  REQUIRE(write(pipe.writing.get(), "ab", 2) == 2);
  CHECK(read(pipe.reading.get(), bytes.data(), bytes.size()) == 2);
  CHECK((fcntl(pipe.writing.get(), F_GETFL) & O_NONBLOCK) == 0);
  for (const Descriptor* const end : {&pipe.reading, &pipe.writing})
    CHECK((fcntl(end->get(), F_GETFD) & FD_CLOEXEC) != 0);
}

/// Lets this process open no further descriptor while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a pipe is the same from the stock and beside it", "[process]") {
  PipeStock stock;
  check_pipe(stock.take().value());
  stock.refill();
  for (std::size_t i = 0; i <= PipeStock::most; ++i) check_pipe(stock.take().value());
}

TEST_CASE("the stock holds the pipes of one child, and closes them with itself", "[process]") {
  const std::size_t before = open_descriptors();
  {
    PipeStock stock;
    stock.refill();
    stock.refill();
    CHECK(open_descriptors() == before + 2 * PipeStock::most);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("where no descriptor is left the stock is as good as it was", "[process]") {
  PipeStock stock;
  stock.refill();
  std::vector<std::expected<Pipe, int>> taken;
  {
    const NoDescriptors none;  // In which nothing is checked: a sanitizer's own checks need a pipe.
    for (std::size_t i = 0; i < PipeStock::most; ++i) taken.push_back(stock.take());
    stock.refill();
    taken.push_back(stock.take());
  }
  for (std::size_t i = 0; i < PipeStock::most; ++i) CHECK(taken[i].has_value());
  REQUIRE(!taken.back());
  CHECK(taken.back().error() == EMFILE);
  check_pipe(stock.take().value());
}
