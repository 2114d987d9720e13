#include "tests/unit/net/client_run.hpp"

#include <regex>

namespace gather::test {
namespace {

std::string class_of(const net::ClientError& error) {
  if (dynamic_cast<const net::ServerDisconnectedError*>(&error)) return "ServerDisconnectedError";
  if (dynamic_cast<const net::ClientConnectionError*>(&error)) return "ClientConnectionError";
  if (dynamic_cast<const net::ServerTimeoutError*>(&error)) return "ServerTimeoutError";
  if (dynamic_cast<const net::ClientPayloadError*>(&error)) return "ClientPayloadError";
  if (dynamic_cast<const net::ClientProtocolError*>(&error)) return "ClientProtocolError";
  if (dynamic_cast<const net::InvalidURL*>(&error)) return "InvalidURL";
  if (dynamic_cast<const net::TooManyRedirects*>(&error)) return "TooManyRedirects";
  if (dynamic_cast<const net::RedirectError*>(&error)) return "RedirectError";
  if (dynamic_cast<const net::ClientResponseError*>(&error)) return "ClientResponseError";
  return "ClientError";
}

}  // namespace

std::string describe(const net::ClientError& error) {
  return class_of(error) + ": " +
         std::regex_replace(error.what(), std::regex("127\\.0\\.0\\.1:[0-9]+"), "HOST");
}

}  // namespace gather::test
