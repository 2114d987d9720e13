#include "tests/unit/net/fetch.hpp"

#include "core/async/combine/timeout.hpp"
#include "tests/unit/descriptors.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace gather::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string without_host(const std::string& text) {
  return std::regex_replace(text, std::regex("127\\.0\\.0\\.1:[0-9]+"), "HOST");
}

struct Describe {
  std::string operator()(const net::Fetched& fetched) const {
    return fmt::format("{}, {} bytes", fetched.status, fetched.bytes);
  }
  std::string operator()(const net::UnexpectedStatus& answer) const {
    return fmt::format("status {}: {}", answer.status, answer.detail);
  }
  std::string operator()(const net::Failure& failure) const {
    return fmt::format("{}: {}", name(failure.kind), without_host(failure.why));
  }
  std::string operator()(const net::ChecksumMismatch& mismatch) const {
    return fmt::format("checksum: {} is not {}", mismatch.actual.substr(0, 8),
                       mismatch.expected.substr(0, 8));
  }
  std::string operator()(const net::NotAsExpected& answer) const {
    return fmt::format("not as expected: {}", answer.why);
  }
  std::string operator()(const net::LocalFailure& failure) const {
    return fmt::format("local: {}", without_host(failure.why));
  }
};

}  // namespace

std::string describe(const net::DownloadResult& result) { return std::visit(Describe(), result); }

std::string fetch(const net::Download& wanted, net::Session::Options options) {
  async::Loop loop;
  net::Session session(loop, options);
  return describe(loop.run(async::timeout(
      10s, [&]() -> async::Co<net::DownloadResult> { co_return co_await download(session, wanted); })));
}

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "gather-net-XXXXXX").native();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a folder for a test");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Folder::write(std::string_view name, std::string_view content) const {
  std::ofstream(path_ / name, std::ios::binary) << content;
}

std::string Folder::read(std::string_view name) const {
  std::ifstream file(path_ / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Folder::list() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    names.push_back(entry.path().lexically_relative(path_).native());
  std::ranges::sort(names);
  return fmt::format("{}", fmt::join(names, " "));
}

Lowered::Lowered(int resource, std::size_t limit) : resource_(resource) {
  rlimit setting{};
  getrlimit(static_cast<__rlimit_resource>(resource_), &setting);
  before_ = setting.rlim_cur;
  setting.rlim_cur = limit;
  setrlimit(static_cast<__rlimit_resource>(resource_), &setting);
}

Lowered::~Lowered() {
  rlimit setting{};
  getrlimit(static_cast<__rlimit_resource>(resource_), &setting);
  setting.rlim_cur = before_;
  setrlimit(static_cast<__rlimit_resource>(resource_), &setting);
}

bool settled(std::size_t count) {
  // Our servers are in this process, and so is the thread of a lookup that another test has cancelled: what
  // they have open comes and goes.
  for (int i = 0; i < 10'000; ++i) {
    if (open_descriptors() <= count) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

}  // namespace gather::test
