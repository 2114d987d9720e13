/// One request and its answer on one connection, told as it happens to whoever derives from this. Knows no
/// coroutine and follows no redirects. Only files of core/net include this.
#pragma once

#include "core/net/multi.hpp"
#include "core/net/multipart.hpp"
#include "core/net/request.hpp"
#include "core/net/trail.hpp"
#include "core/net/trust.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

// libcurl hands it over in pieces of CURL_MAX_WRITE_SIZE, of which it holds a whole number. libcurl reads up
// to a hundred of these before it returns, which is long: see Multi::longest_hold. From 128 KB on each
// request would cost a map and its page faults.
inline constexpr long transfer_buffer_size = 96 * 1024;

/// How long to wait for what; longest_duration where there is no limit.
struct Patience {
  Duration connect;  ///< For name, connection and TLS together.
  Duration stall;    ///< Between two signs of life.
};

/// What Exchange (the body goes to a sink) and StreamedExchange (the body is asked for) have in common.
///
/// An answer is whole when libcurl says so and our own count agrees with Content-Length; libcurl alone is too
/// trusting (see HeadReader).
class HttpTransfer : private Multi::Transfer {
 public:
  const Head& head() const noexcept { return reader_.head(); }
  /// The head of the final answer is whole.
  bool head_complete() const noexcept { return reader_.complete(); }
  std::uint64_t received() const noexcept { return received_; }  ///< Bytes of body.
  bool running() const noexcept { return running_; }

 protected:
  /// What became of a piece of body.
  enum class Piece : std::uint8_t {
    taken,
    paused,   ///< Not now: it will be offered again after resume(). No time counts meanwhile.
    refused,  ///< The transfer ends.
  };

  /// What read_upload() says instead of a size.
  static constexpr std::size_t no_upload_yet = ~std::size_t{0};

  /// `request` must outlive it; `version` stands for the one that it names. Throws gather::Error,
  /// std::bad_alloc.
  HttpTransfer(Multi& multi, const TrustSource& trust, const Request& request, HttpVersion version,
               const Patience& patience);
  ~HttpTransfer();

  /// Takes the body from read_upload() instead of the request: so many bytes, or in chunks until it says 0.
  /// Before start().
  void set_upload(std::optional<std::uint64_t> length);

  /// on_finished() will follow, later or, if memory is out, at once.
  void start() noexcept;
  /// Ends it without on_finished(), and closes the connection. No-op unless running.
  void stop() noexcept;
  /// Goes on with what was paused; on_piece() and read_upload() may be called from inside. Not from a
  /// callback of libcurl's. No-op unless running.
  void resume() noexcept;
  /// A piece of body waits to be offered again.
  bool body_paused() const noexcept { return paused_; }

  /// Why no whole answer came; nothing if it did. Once finished, and before release().
  std::optional<Failure> failure() const;
  /// The head, once failure() was asked.
  Head take_head() noexcept { return reader_.take_head(); }
  /// It asked for HTTP/2, and libcurl had for it a connection of HTTP/1.1 that another transfer uses: nothing
  /// was sent, and the host is to be asked with HTTP/1.1. Once finished.
  bool crowded() const noexcept { return crowded_; }
  /// Where a redirect leads, absolute; empty if nowhere. Once finished, and before release().
  std::string location() const;
  /// What its time went into, also if it failed or was stopped. Before release().
  Phases phases() const noexcept;
  /// "1.0", "1.1" or "2"; empty if nothing was answered. Before release().
  std::string_view http_version() const noexcept;
  /// Gives back libcurl's memory. Requires: not running. The connections must still be there.
  void release() noexcept;

  async::Loop& loop() const noexcept { return loop_; }

 private:
  // From inside libcurl: they note and enqueue.
  virtual void on_head() noexcept {}
  virtual Piece on_piece(std::string_view piece) noexcept = 0;
  /// Up to `size` bytes of body into `buffer`: how many, 0 at the end, no_upload_yet for later, after
  /// resume().
  virtual std::size_t read_upload(char* buffer, std::size_t size) noexcept;
  /// From the loop, outside libcurl.
  virtual void on_finished() noexcept = 0;

  // Looks now and then whether there was a sign of life, rather than being set again at each.
  struct StallTimer final : async::Timer {
    explicit StallTimer(HttpTransfer& owner) noexcept : transfer(owner) {}
    void on_time() noexcept override;
    HttpTransfer& transfer;
  };

  CURL* easy() const noexcept override { return handle_.easy.get(); }
  void on_ended(CURLcode result) noexcept override;
  void on_no_socket(std::string why) noexcept override { no_socket_ = std::move(why); }
  bool may_connect_to(const sockaddr& address) noexcept override;

  static int on_connected(void* self, char*, char*, int, int) noexcept;
  static std::size_t on_head_line(const char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_body(const char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_upload(char* buffer, std::size_t, std::size_t size, void* self) noexcept;

  void set_own();
  void set_options();
  std::uint8_t recipe() const;                   // transport.cpp
  bool waits_for_connection() const;             // transport.cpp
  void set_transport(const TrustSource& trust);  // transport.cpp
  void set_method();
  void set_headers();
  void leave_out_expect();
  bool sends_body() const;
  void rest() noexcept;
  void check_stall() noexcept;
  async::TimePoint stalls_at() const noexcept;
  void pace(std::size_t size) noexcept;
  void stop_clock() noexcept;
  bool takes_connection();
  void leave_connection() noexcept;
  Failure explained() const;
  bool short_of_length() const;

  Multi& multi_;
  async::Loop& loop_;  // May be needed when multi_ has gone.
  const Request& request_;
  const Patience patience_;
  const bool http2_;  // Asked for. Paused, it would go on filling its window.
  const std::uint8_t recipe_;
  Multi::Handle handle_;
  CurlList headers_;
  CurlList resolve_;
  std::optional<Multipart> multipart_;
  std::array<char, CURL_ERROR_SIZE> text_{};

  HeadReader reader_;
  std::uint64_t received_ = 0;
  bool running_ = false;
  bool paused_ = false;         // No piece is taken for the moment.
  bool upload_paused_ = false;  // There was nothing to send.
  bool refused_ = false;
  bool uploads_ = false;  // set_upload() was called.
  bool crowded_ = false;
  const void* claimed_ = nullptr;  // Its connection, if no other transfer may use that.
  std::string no_socket_;
  std::optional<std::string> not_public_;  // The last address that was refused.
  bool met_public_ = false;

  StallTimer stall_timer_{*this};
  async::Call stall_check_;
  async::Call end_of_rest_;
  async::TimePoint began_;
  async::TimePoint ended_;  // Or the beginning, while it runs.
  async::TimePoint last_sign_;
  async::TimePoint paced_until_;  // Until then libcurl may hold back by itself, for `limit_rate`.
  curl_off_t uploaded_ = 0;       // When last looked.

  CURLcode result_ = CURLE_OK;
  bool ended_well_ = false;
  bool stalled_ = false;
};

}  // namespace gather::net
