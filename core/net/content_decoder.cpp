#include "core/net/content_decoder.hpp"

#include "core/net/curl.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <array>
#include <new>
#include <utility>

namespace gather::net {
namespace {

// zlib's words for the size of the window and the wrapper around it.
constexpr int gzip_wrapper = 16 + MAX_WBITS;
constexpr int zlib_wrapper = MAX_WBITS;
constexpr int no_wrapper = -MAX_WBITS;

}  // namespace

struct ContentDecoder::Stream {
  explicit Stream(int wrapper) : gzip(wrapper == gzip_wrapper) { begin(wrapper); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { zlib().inflate_end(&state); }

  void begin(int wrapper) {
    const int code = zlib().inflate_init(&state, wrapper, ZLIB_VERSION, static_cast<int>(sizeof state));
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
  }

  /// For deflate without its wrapper, which shows in the first two bytes (RFC 1950, section 2.2): this many
  /// of them are held back until both are there.
  bool choose_wrapper(std::string_view& piece) {
    while (first_count < 2 && !piece.empty()) {
      first[first_count++] = static_cast<unsigned char>(piece.front());
      piece.remove_prefix(1);
    }
    if (first_count < 2) return false;
    chosen = true;
    const bool wrapped = (first[0] & 0x0fU) == Z_DEFLATED && (first[0] * 256U + first[1]) % 31 == 0;
    if (!wrapped) {
      zlib().inflate_end(&state);
      state = z_stream{};
      begin(no_wrapper);
    }
    return true;
  }

  bool feed(std::string_view piece, const Sink& sink) {
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    state.avail_in = static_cast<uInt>(piece.size());
    do {
      if (ended) {
        if (state.avail_in == 0) return true;
        if (!gzip) return refuse();
        zlib().inflate_reset(&state);  // Keeps what is still to be read.
        ended = false;
      }
      state.next_out = reinterpret_cast<Bytef*>(buffer.data());
      state.avail_out = static_cast<uInt>(buffer.size());
      const int code = zlib().inflate(&state, Z_NO_FLUSH);
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return refuse();
      ended = code == Z_STREAM_END;
      const std::size_t count = buffer.size() - state.avail_out;
      if (count != 0 && !sink({buffer.data(), count})) return false;
    } while (state.avail_in != 0 || (state.avail_out == 0 && !ended));
    return true;
  }

  bool refuse() noexcept {
    damaged = true;
    return false;
  }

  z_stream state{};
  bool gzip;
  bool chosen = false;  // The wrapper, of deflate.
  std::array<unsigned char, 2> first{};
  std::size_t first_count = 0;
  bool ended = false;
  bool damaged = false;
  std::array<char, 64UL * 1024> buffer;
};

std::optional<std::string> content_coding(const Headers& headers) {
  std::string all;
  for (const std::string_view value : headers.get_all("content-encoding"))
    all += fmt::format("{}{}", all.empty() ? "" : ", ", value);
  if (all.empty() || same_name(all, "identity")) return std::nullopt;
  return all;
}

std::optional<ContentDecoder> ContentDecoder::for_coding(std::string_view coding) {
  if (same_name(coding, "gzip") || same_name(coding, "x-gzip"))
    return ContentDecoder(std::make_unique<Stream>(gzip_wrapper));
  if (same_name(coding, "deflate")) return ContentDecoder(std::make_unique<Stream>(zlib_wrapper));
  return std::nullopt;
}

ContentDecoder::ContentDecoder(std::unique_ptr<Stream> stream) noexcept : stream_(std::move(stream)) {}
ContentDecoder::ContentDecoder(ContentDecoder&&) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&&) noexcept = default;
ContentDecoder::~ContentDecoder() = default;

bool ContentDecoder::take(std::string_view piece, const Sink& sink) {
  if (!stream_->gzip && !stream_->chosen) {
    if (!stream_->choose_wrapper(piece)) return true;
    const std::string_view first(reinterpret_cast<const char*>(stream_->first.data()), 2);
    if (!stream_->feed(first, sink)) return false;
  }
  return piece.empty() || stream_->feed(piece, sink);
}

bool ContentDecoder::damaged() const noexcept { return stream_->damaged; }
bool ContentDecoder::at_end() const noexcept { return stream_->ended; }

}  // namespace gather::net
