/// A multipart/form-data body whose files are read while it is sent. Only files of core/net include this.
#pragma once

#include "core/net/curl.hpp"
#include "core/net/request.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gather::net {

class Multipart {
 public:
  /// Opens the files of `parts`; their sizes are announced to the server, so that each has to keep its own.
  /// What can't be opened, or is no regular file, is a fault(). Throws std::bad_alloc.
  Multipart(CURL* easy, std::span<const Part> parts);
  Multipart(const Multipart&) = delete;
  Multipart& operator=(const Multipart&) = delete;
  ~Multipart();

  /// For CURLOPT_MIMEPOST; it must live as long as the transfer.
  curl_mime* get() const noexcept { return mime_; }
  /// Why it can't be sent, a sentence without a final full stop; empty if it can. May change while it is
  /// sent: a file that got shorter.
  const std::string& fault() const noexcept { return fault_; }

 private:
  struct File {
    Multipart& owner;
    std::string path;
    int descriptor;
    std::int64_t size;
    std::int64_t read;
  };

  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* file) noexcept;
  static int on_seek(void* file, curl_off_t offset, int origin) noexcept;
  void add(const Part& part);
  void add_file(curl_mimepart* at, const std::string& path);

  curl_mime* mime_;
  std::vector<std::unique_ptr<File>> files_;
  std::string fault_;
};

}  // namespace gather::net
