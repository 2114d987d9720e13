/// One request and its answer on one connection, as something to await. Follows no redirects. Only files of
/// core/net include this.
#pragma once

#include "core/async/task/op.hpp"
#include "core/net/multi.hpp"
#include "core/net/request.hpp"
#include "core/net/trust.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>

namespace gather::net {

/// How long to wait for what.
struct Patience {
  Duration connect;  ///< For name, connection and TLS together.
  Duration stall;    ///< Between two signs of life.
};

/// Resumes the caller when the answer is whole, or can't become so. Cancelling the caller ends the transfer
/// at once and closes its connection.
///
/// An answer is whole when libcurl says so and our own count agrees with Content-Length; libcurl alone is too
/// trusting (see HeadReader).
class Exchange final : public async::Op, private Multi::Transfer {
 public:
  struct Ending {
    std::expected<Answer, Failure> answer;
    std::string location;  ///< Where a redirect leads, absolute; empty if nowhere.
  };

  /// `request` and `sink` must outlive it. Throws gather::Error, std::bad_alloc.
  Exchange(Multi& multi, const TrustSource& trust, const Request& request, const Patience& patience,
           BodySink& sink);
  ~Exchange();

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  Ending await_resume();

 private:
  // Looks now and then whether there was a sign of life, rather than being set again at each.
  struct StallTimer final : async::Timer {
    explicit StallTimer(Exchange& owner) noexcept : exchange(owner) {}
    void on_time() noexcept override;
    Exchange& exchange;
  };

  CURL* easy() const noexcept override { return easy_.get(); }
  void on_ended(CURLcode result) noexcept override;
  void on_no_socket(std::string why) noexcept override { no_socket_ = std::move(why); }
  Abort abort() noexcept override;

  static std::size_t on_head(const char* data, std::size_t, std::size_t size, void* exchange) noexcept;
  static std::size_t on_body(const char* data, std::size_t, std::size_t size, void* exchange) noexcept;

  void set_options(const TrustSource& trust);
  void set_method();
  void set_headers();
  void begin();
  void check_stall() noexcept;
  void stop_clock() noexcept;
  Failure failure(CURLcode result) const;
  bool short_of_length() const;

  Multi& multi_;
  const Request& request_;
  const Patience patience_;
  BodySink& sink_;
  Easy easy_;
  CurlList headers_;
  std::array<char, CURL_ERROR_SIZE> text_{};

  HeadReader head_;
  std::uint64_t received_ = 0;
  bool refused_ = false;  // By the sink.
  std::string no_socket_;
  std::exception_ptr thrown_;  // By the sink; thrown on in await_resume.

  StallTimer stall_timer_{*this};
  async::Call stall_check_;
  async::TimePoint last_sign_;
  curl_off_t uploaded_ = 0;  // When last looked.

  CURLcode result_ = CURLE_OK;
  bool stalled_ = false;
};

}  // namespace gather::net
