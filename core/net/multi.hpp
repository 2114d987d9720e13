/// libcurl's multi interface on our loop: its sockets watched, its timer armed, its endings handed out. Knows
/// nothing of HTTP. Only files of core/net include this.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/loop/watch.hpp"
#include "core/net/curl.hpp"
#include "core/net/curl_memory.hpp"
#include "core/net/parsed_url.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace gather::net {

/// One set of connections and the transfers that run on them.
///
/// libcurl is called from a task's step or from work(), which the loop runs, never from inside one of its own
/// callbacks: those only note what is wanted. See core/README.md, "libcurl on the loop".
class Multi {
 public:
  /// So long at most is the loop kept from others by one call; by a transfer that would take longer too,
  /// which rests then.
  static constexpr Duration longest_hold = std::chrono::milliseconds(3);

  /// What a transfer is to us. Its easy handle comes from handle_for() and has it as CURLOPT_PRIVATE.
  class Transfer {
   public:
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    virtual CURL* easy() const noexcept = 0;
    /// It has ended with this result, and was removed.
    virtual void on_ended(CURLcode result) noexcept = 0;
    /// Its socket can't be had, for want of descriptors or memory; it will end with an error.
    virtual void on_no_socket(std::string why) noexcept = 0;
    /// Whether it may be connected to this one of its host's addresses.
    virtual bool may_connect_to(const sockaddr& address) noexcept = 0;

   protected:
    Transfer() = default;
    ~Transfer() = default;

   private:
    friend class Multi;
    Multi* multi_ = nullptr;  // Set by handle_for().
  };

  /// So many idle connections are kept for later: `idle`, or as many as there were transfers at once, if that
  /// is more. Throws gather::Error if libcurl can't be loaded.
  Multi(async::Loop& loop, std::size_t idle);
  /// Closes every connection. Requires: no transfer is left.
  ~Multi();
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  async::Loop& loop() const noexcept { return loop_; }
  /// When the call of libcurl's began that goes on, or was the last.
  async::TimePoint called_at() const noexcept { return called_at_; }

  struct Handle {
    ParsedUrl url;  ///< For CURLOPT_CURLU, so it lives as long as the handle.
    Easy easy;
    std::uint8_t recipe = 0;  ///< Which of the usual sets of options it has; 0: none.
  };

  /// A handle that has the options of `recipe` already, if one is there and that is not 0; else one with the
  /// options that have to do with sockets and with what connections share, and no others. What a recipe is
  /// made of is the caller's affair, as long as it is the same for all. Throws std::bad_alloc.
  Handle handle_for(Transfer& transfer, std::uint8_t recipe);
  /// Keeps a handle for a later transfer: making one costs as much as half of a small request. It keeps its
  /// options if it has those of a recipe, which takes a transfer that ended well; else it is emptied.
  /// Requires: it is not added, and whatever its options point to is still there.
  void take_back(Handle handle) noexcept;

  /// Starts it; on_ended will follow, later. Throws std::bad_alloc.
  void add(Transfer& transfer);
  /// Ends it without on_ended. Never blocks. Requires: added, and not ended.
  void remove(Transfer& transfer) noexcept;
  /// Marks a connection as one that takes no second transfer meanwhile; false if it is marked already.
  bool claim(const void* connection) { return claimed_.insert(connection).second; }
  void unclaim(const void* connection) noexcept { claimed_.erase(connection); }

  /// Goes on with what its callbacks paused, and calls them from inside. An error means that it must be
  /// removed. Requires: added, and not ended.
  CURLcode resume(Transfer& transfer) noexcept;

 private:
  struct Socket;
  /// For libcurl's own timer, and to look after lost ones: 7.88.1 has lapses (curl#15627), and a look each
  /// second costs nothing.
  struct Alarm final : async::Timer {
    explicit Alarm(Multi& owner) noexcept : multi(owner) {}
    void on_time() noexcept override;
    Multi& multi;
  };

  void set_own(CURL* easy, Transfer& transfer);
  static bool emptied(CURL* easy) noexcept;
  static int on_socket(CURL* easy, curl_socket_t descriptor, int what, void* multi, void* socket) noexcept;
  static int on_timer(CURLM* handle, long milliseconds, void* multi) noexcept;
  static curl_socket_t on_open(void* transfer, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static int on_close(void* multi, curl_socket_t descriptor) noexcept;

  Socket& socket(int descriptor);
  void opened(int descriptor);
  void watch(CURL* easy, int descriptor, int what) noexcept;
  void unwatch(int descriptor) noexcept;
  void note_unconnected(CURL* easy, int descriptor) noexcept;
  void set_timer(long milliseconds) noexcept;
  void keep(std::size_t connections) noexcept;
  void ring() noexcept;
  void work() noexcept;
  void act(curl_socket_t descriptor, int events) noexcept;
  void turn_to_next_address() noexcept;
  void hand_out_endings() noexcept;
  void end_doomed() noexcept;

  async::Loop& loop_;
  const PiecePool::Use memory_{curl_memory.pool};
  Share share_;  // TLS sessions, so that a new connection resumes an earlier one. Dies after handle_.
  const bool asks_for_proxies_;
  MultiHandle handle_;
  std::vector<Handle> unused_;                    // By no transfer; without options unless set up.
  std::vector<std::unique_ptr<Socket>> sockets_;  // By descriptor; kept, as numbers come again and again.
  std::vector<Socket*> pending_;                  // Have events that libcurl was not told of yet.
  std::unordered_set<const void*> claimed_;       // Connections.
  std::vector<Transfer*> doomed_;                 // Whose socket can't be watched.
  std::vector<Transfer*> unconnected_;            // Whose socket went while it was still connecting.
  Alarm timer_{*this};
  Alarm watchdog_{*this};
  bool timer_due_ = false;
  bool inside_ = false;  // In a call of libcurl's, from which its callbacks come.
  async::TimePoint called_at_;
  async::Call work_;  // work(), scheduled.
  bool work_scheduled_ = false;
  std::size_t transfers_ = 0;
  std::size_t kept_;  // Connections, idle or not, beyond which libcurl closes an idle one.
};

}  // namespace gather::net
