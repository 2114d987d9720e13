/// A program that could fetch and does not: libcurl must not be in its memory.
#include "core/net/session.hpp"

#include <fstream>
#include <iostream>
#include <string>

int main() {
  gather::async::Loop loop;
  const gather::net::Session session(loop);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.contains("libcurl") || line.contains("libcrypto")) {
      std::cerr << "loaded without a transfer: " << line << '\n';
      return 1;
    }
  }
}
