/// One request and its answer on one connection, whose head is awaited and whose body is then asked for piece
/// by piece. Follows no redirects. Only files of core/net include this.
#pragma once

#include "core/async/sync/waiters.hpp"
#include "core/async/task/co.hpp"
#include "core/net/client_request.hpp"
#include "core/net/connection_limits.hpp"
#include "core/net/http_transfer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

class ClientCore;

/// The moment by which all must be over, and how long that was from the beginning, for the message.
struct Deadline {
  async::TimePoint when;
  Duration length;
};

/// Holds the request, for as long as libcurl may read it; a base, so that it is there first.
struct RequestHeld {
  Request held_;
};

/// A transfer that holds back: when so many bytes wait for their reader, libcurl is told to read no more of
/// the socket, and TCP tells the server. It goes on once they are taken.
///
/// It ends with the last byte from the server, read by anybody or not: then the connection is free for the
/// next request, and the leave for it is given back. Dying earlier closes the connection.
class StreamedExchange final : private RequestHeld, public HttpTransfer {
 public:
  /// Throws gather::Error, std::bad_alloc. Requires: the core is not closed.
  StreamedExchange(std::shared_ptr<ClientCore> core, ConnectionLimits::Lease lease, Request request,
                   const Patience& patience, std::optional<Deadline> deadline);
  ~StreamedExchange();

  const Request& request() const noexcept { return held_; }

  /// Sends it. With an upload, upload() must follow.
  void begin(const RequestBody* upload = nullptr);

  /// Feeds the body from its source until that ends, the transfer does, or the server says no; answered()
  /// tells. Throws what the source throws, and std::length_error if that does not make the length that was
  /// announced.
  async::Co<> upload(RequestBody& body);

  /// Resumes when the head of the answer is whole. Throws ClientError if none comes.
  async::Co<> answered();

  /// Resumes with what there is of the body, `most` bytes at most, once there is something; with nothing
  /// after its end. Throws ClientError where it is cut, after all that came before. Requires: most > 0.
  async::Co<std::optional<std::string>> next(std::size_t most);

  /// Bytes that wait for a reader; what libcurl may hold of one piece (100 KB) comes on top.
  std::size_t buffered() const noexcept { return buffer_.size(); }
  /// For who reads it whole: what he has so far.
  std::string& kept_body() noexcept { return kept_body_; }
  /// Nothing more will come of next().
  bool at_end() const noexcept { return over_ && buffer_.empty() && !failure_; }

  /// Ends it, if it has not ended; what was not read is gone, and who waits is told why.
  void close(const Failure& why) noexcept;

 private:
  struct DeadlineTimer final : async::Timer {
    explicit DeadlineTimer(StreamedExchange& owner) noexcept : exchange(owner) {}
    void on_time() noexcept override;
    StreamedExchange& exchange;
  };

  void on_head() noexcept override { changed_.complete_all(); }
  Piece on_piece(std::string_view piece) noexcept override;
  std::size_t read_upload(char* buffer, std::size_t size) noexcept override;
  void on_finished() noexcept override;

  async::Co<std::optional<std::string>> made_in_time(BodySource& source);
  void expire() noexcept;
  void conclude(std::optional<Failure> failure) noexcept;
  std::string take(std::size_t most);
  [[noreturn]] void fail() const;

  const std::shared_ptr<ClientCore> core_;
  ConnectionLimits::Lease lease_;  // Gives its place back while core_ is there.
  const std::optional<Deadline> deadline_;
  DeadlineTimer timer_{*this};
  async::Call expiry_;

  async::WaitQueue changed_;  // Who waits for any of the below to change.
  std::string buffer_;
  std::string kept_body_;
  bool over_ = false;
  std::optional<Failure> failure_;

  std::string outgoing_;
  std::size_t sent_ = 0;  // Of outgoing_.
  bool wants_outgoing_ = false;
  bool outgoing_ended_ = false;
};

}  // namespace gather::net
