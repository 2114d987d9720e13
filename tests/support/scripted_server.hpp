/// An HTTP server for tests that says exactly the bytes it is told to, right or wrong. Blocking sockets and
/// threads: it shares nothing with what it tests.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gather::test {

/// Listens on 127.0.0.1, on a port of its own, until it is destroyed; that ends every connection.
class ScriptedServer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< Names in lower case.
    std::string body;                            ///< Of the length in the head, or decoded from chunks.
    int connection = 0;                          ///< Counts from 1.
  };

  /// What to do when the bytes of a reply are out.
  enum class Then { keep, close, reset, stall };

  struct Reply {
    std::string bytes;
    Then then = Then::keep;
    std::chrono::milliseconds latency{0};  ///< Before the first byte.
    std::size_t slice = 0;                 ///< Not 0: the bytes leave in slices of so many,
    std::chrono::milliseconds pause{0};    ///< with so long between two.
  };

  /// Called by the connections' threads, one at a time.
  using Script = std::function<Reply(const Request&)>;

  explicit ScriptedServer(Script script);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  std::string url(std::string_view target = "/") const;
  std::string host() const;

  std::vector<Request> requests() const;
  /// Connections taken so far.
  int connections() const;
  /// The most replies that were being waited for at one time; see hold().
  std::size_t most_at_once() const;
  /// Connections that neither side has closed yet, as far as this side knows; and the most there ever were.
  int open_connections() const;
  int most_open_connections() const;
  /// Waits until at most so many are open. False if that has not come after ten seconds.
  bool closed_down_to(int connections) const;
  /// How many requests named `host` in their Host header; and the most of them that were in progress at one
  /// time: from the request's last byte until the last piece of the reply is sent, so that a client can't
  /// have ended one before it is counted as ended. One that stalls is in progress until its connection ends.
  std::size_t requests_for(const std::string& host) const;
  std::size_t most_in_progress(const std::string& host) const;
  /// Bytes of replies that the kernel has taken so far: how far a client that does not read lets us get.
  std::size_t sent() const { return sent_; }

  /// Keeps every request waiting until `count` are there at the same time, or two seconds have passed.
  void hold(std::size_t count);

  /// Says `bytes` to each later connection at once, before it has asked for anything.
  void greet(std::string bytes);

 private:
  void accept_all();
  void serve(int socket, int number);
  Reply answer(const Request& request);
  bool send_reply(int socket, const Reply& reply, const std::function<void()>& before_last_piece);
  bool send_all(int socket, std::string_view bytes);
  /// Waits for `socket` to have something to read. False: the server is being destroyed.
  bool await(int socket) const;
  /// Lets `time` pass. False: the server is being destroyed.
  bool pass(std::chrono::milliseconds time) const;

  Script script_;
  int listener_;
  int stop_read_;  // Readable once the server is being destroyed.
  int stop_write_;
  int port_ = 0;
  mutable std::condition_variable closed_;  // A connection was.
  mutable std::mutex mutex_;                // Guards everything below.
  std::vector<Request> requests_;
  std::vector<std::thread> connections_;
  std::string greeting_;
  std::size_t held_ = 0;
  std::size_t waiting_ = 0;
  std::size_t most_waiting_ = 0;
  int open_ = 0;
  int most_open_ = 0;
  struct Traffic {
    std::size_t requests = 0;
    std::size_t in_progress = 0;
    std::size_t most_in_progress = 0;
  };
  std::map<std::string, Traffic> traffic_;  // By Host header.
  std::atomic<std::size_t> sent_ = 0;
  std::thread acceptor_;
};

/// `HTTP/1.1 STATUS Word`, the headers given (each with its line break), Content-Length and the body.
std::string response(int status, std::string_view body, std::string_view headers = "");

/// The same in chunks of `size` bytes, without the last one if not `whole`.
std::string chunked_response(std::string_view body, std::size_t size, bool whole = true);

}  // namespace gather::test
