#include "core/net/multipart.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace gather::net {
namespace {

void must(CURLcode code) {
  if (code != CURLE_OK) throw std::bad_alloc();  // The other codes mean a mistake of ours.
}

}  // namespace

Multipart::Multipart(CURL* easy, std::span<const Part> parts) : mime_(curl().mime_init(easy)) {
  if (mime_ == nullptr) throw std::bad_alloc();
  for (const Part& part : parts)
    if (fault_.empty()) add(part);
}

Multipart::~Multipart() {
  curl().mime_free(mime_);
  for (const auto& file : files_) close(file->descriptor);
}

void Multipart::add(const Part& part) {
  curl_mimepart* const at = curl().mime_addpart(mime_);
  if (at == nullptr) throw std::bad_alloc();
  must(curl().mime_name(at, part.name.c_str()));
  if (!part.type.empty()) must(curl().mime_type(at, part.type.c_str()));
  if (part.file)
    add_file(at, *part.file);
  else
    must(curl().mime_data(at, part.value.data(), part.value.size()));
}

/// Not by curl_mime_filedata, which opens the file without close-on-exec.
void Multipart::add_file(curl_mimepart* at, const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // A FIFO must not block.
  struct stat facts{};
  if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
    fault_ = fmt::format("can't read {}: {}", in_quotes(path, 200), system_error_text(errno));
    if (descriptor >= 0) close(descriptor);
    return;
  }
  files_.push_back(std::make_unique<File>(*this, path, descriptor, facts.st_size, 0));
  if (!S_ISREG(facts.st_mode)) {
    fault_ = fmt::format("{} is no regular file", in_quotes(path, 200));
    return;
  }
  must(curl().mime_filename(at, path.substr(path.rfind('/') + 1).c_str()));
  must(curl().mime_data_cb(at, facts.st_size, &on_read, &on_seek, nullptr, files_.back().get()));
}

std::size_t Multipart::on_read(char* buffer, std::size_t size, std::size_t count, void* data) noexcept {
  auto& file = *static_cast<File*>(data);
  const auto wanted = std::min(static_cast<std::int64_t>(size * count), file.size - file.read);
  if (wanted <= 0) return 0;
  const ssize_t got = pread(file.descriptor, buffer, static_cast<std::size_t>(wanted), file.read);
  if (got > 0) {
    file.read += got;
    return static_cast<std::size_t>(got);
  }
  try {
    file.owner.fault_ =
        got == 0 ? fmt::format("{} got shorter while it was sent", in_quotes(file.path, 200))
                 : fmt::format("can't read {}: {}", in_quotes(file.path, 200), system_error_text(errno));
  } catch (const std::bad_alloc&) {  // Then the sentence is libcurl's.
  }
  return CURL_READFUNC_ABORT;
}

int Multipart::on_seek(void* data, curl_off_t offset, int origin) noexcept {
  if (origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<File*>(data)->read = offset;
  return CURL_SEEKFUNC_OK;
}

}  // namespace gather::net
