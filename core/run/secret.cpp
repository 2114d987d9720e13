#include "core/run/secret.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace gather::run {
namespace {

constexpr std::size_t longest_secret = 64 * 1024;

std::expected<std::string, std::string> read_file(const std::filesystem::path& path) {
  const auto failure = [&](std::string_view why) {
    return std::unexpected(
        fmt::format("can't read a secret from {}: {}", in_quotes(path.native(), 200), why));
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // A FIFO must not block.
  if (descriptor < 0) return failure(system_error_text(errno));
  std::string text(longest_secret + 1, '\0');
  struct stat facts{};
  const bool regular = fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  const ssize_t size = regular ? read(descriptor, text.data(), text.size()) : 0;
  const int error = errno;
  close(descriptor);
  if (!regular) return failure("it is no regular file");
  if (size < 0) return failure(system_error_text(error));
  text.resize(static_cast<std::size_t>(size));
  if (text.size() > longest_secret) return failure("it is longer than 64 KB");
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) return failure("it is empty");
  return text;
}

}  // namespace

std::expected<std::string, std::string> read_secret(const job::SecretSource& source,
                                                    const std::filesystem::path& directory) {
  if (source.kind == job::SecretSource::Kind::given)
    return source.name.empty() ? std::unexpected("the secret that a template gave is empty")
                               : std::expected<std::string, std::string>(source.name);
  if (source.kind == job::SecretSource::Kind::file) return read_file(directory / source.name);
  const char* const value = std::getenv(source.name.c_str());
  if (value == nullptr || *value == '\0')
    return std::unexpected(fmt::format("the secret in the environment variable {} is not there: it is {}",
                                       source.name, value == nullptr ? "not set" : "empty"));
  return std::string(value);
}

}  // namespace gather::run
