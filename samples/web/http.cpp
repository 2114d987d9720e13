#include "samples/web/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace web {
namespace {

using namespace std::string_view_literals;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return lower(c) != c || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           "!#$%&'*+-.^_`|~"sv.contains(c);
  });
}

void parse_first_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    throw BadRequest(400, "the first line is not METHOD TARGET VERSION");
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  request.version = line.substr(last + 1);
  if (!is_token(request.method)) throw BadRequest(400, "the method is no word");
  if (!request.target.starts_with('/') || request.target.contains(' '))
    throw BadRequest(400, "the target is no path");
  if (!request.version.starts_with("HTTP/")) throw BadRequest(400, "no HTTP version");
  if (request.version != "HTTP/1.1" && request.version != "HTTP/1.0")
    throw BadRequest(505, "only HTTP/1.0 and HTTP/1.1");
}

std::uint64_t body_length(const Request& request) {
  if (request.header("Transfer-Encoding") != nullptr)
    throw BadRequest(501, "a body needs Content-Length here, not Transfer-Encoding");
  const std::string* const text = request.header("Content-Length");
  if (text == nullptr) return 0;
  for (const auto& [name, value] : request.headers)
    if (same_word(name, "Content-Length") && value != *text)
      throw BadRequest(400, "two values for Content-Length");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (end != text->data() + text->size() || error == std::errc::invalid_argument)
    throw BadRequest(400, "Content-Length is no number");
  if (error != std::errc() || length > body_limit)
    throw BadRequest(413, fmt::format("the body is longer than {} bytes", body_limit));
  return length;
}

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 413:
      return "Content Too Large";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";  // May be empty.
  }
}

}  // namespace

const std::string* Request::header(std::string_view name) const {
  const auto found = std::ranges::find_if(headers, [&](const auto& it) { return same_word(it.first, name); });
  return found == headers.end() ? nullptr : &found->second;
}

bool Request::keep_alive() const {
  const std::string* const connection = header("Connection");
  return version == "HTTP/1.1" && (connection == nullptr || !same_word(*connection, "close"));
}

Request parse_head(std::string_view head) {
  Request request;
  while (head.starts_with("\r\n")) head.remove_prefix(2);  // Some clients send one after a body.
  for (bool first = true; !head.empty(); first = false) {
    const std::size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    if (line.find_first_of("\r\n\0"sv) != std::string_view::npos)
      throw BadRequest(400, "a control character in the head");
    if (first) {
      parse_first_line(line, request);
      continue;
    }
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      throw BadRequest(400, "a header is not NAME: VALUE");
    request.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  if (request.method.empty()) throw BadRequest(400, "no request");
  if (request.version == "HTTP/1.1" && request.header("Host") == nullptr) throw BadRequest(400, "no Host");
  return request;
}

Co<std::optional<Request>> read_request(Stream& stream) {
  std::string head;
  try {
    head = co_await stream.readuntil("\r\n\r\n", head_limit);
  } catch (const gather::async::LimitOverrun&) {
    throw BadRequest(431, fmt::format("the headers are longer than {} bytes", head_limit));
  } catch (const gather::async::IncompleteRead& error) {
    if (error.partial().empty()) co_return std::nullopt;
    throw;
  }
  Request request = parse_head(head);
  const std::uint64_t length = body_length(request);
  const std::string* const expect = request.header("Expect");
  if (length > 0 && expect != nullptr && same_word(*expect, "100-continue"))
    co_await stream.send("HTTP/1.1 100 Continue\r\n\r\n");
  if (length > 0) request.body = co_await stream.readexactly(length);
  co_return request;
}

Co<> write_response(Stream& stream, const Response& response, bool head, bool close) {
  const bool has_body = response.status != 204 && response.status != 304;
  std::string bytes = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
  if (has_body)
    fmt::format_to(std::back_inserter(bytes), "Content-Type: {}\r\nContent-Length: {}\r\n", response.type,
                   response.pattern.value_or(response.body.size()));
  bytes += close ? "Connection: close\r\n\r\n" : "\r\n";
  if (has_body && !head && !response.pattern) bytes += response.body;
  co_await stream.send(bytes);
  if (!has_body || head || !response.pattern) co_return;
  for (std::uint64_t sent = 0; sent < *response.pattern;) {
    bytes =
        pattern(sent, static_cast<std::size_t>(std::min<std::uint64_t>(*response.pattern - sent, 64 * 1024)));
    co_await stream.send(bytes);
    sent += bytes.size();
  }
}

std::string pattern(std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  auto value = static_cast<unsigned>(offset % 251);
  for (char& byte : bytes) {
    byte = static_cast<char>(value);
    value = value == 250 ? 0 : value + 1;
  }
  return bytes;
}

}  // namespace web
