/// A load balancer for tests: passes bytes on, and knows nothing of what they mean.
#pragma once

#include <thread>
#include <vector>

namespace gather::test {

/// Listens on 127.0.0.1 until it is destroyed, and connects each of its connections to the next one of
/// several ports there, in turn.
class Splitter {
 public:
  explicit Splitter(std::vector<int> ports);
  Splitter(const Splitter&) = delete;
  Splitter& operator=(const Splitter&) = delete;
  /// Ends every connection.
  ~Splitter();

  int port() const { return port_; }

 private:
  void accept_all();
  void pass_on(int client, int server) const;

  const std::vector<int> ports_;
  int listener_;
  int stop_[2];
  int port_ = 0;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace gather::test
