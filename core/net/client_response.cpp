#include "core/net/client_response.hpp"

#include "core/net/client_error.hpp"
#include "core/net/streamed_exchange.hpp"

#include <algorithm>
#include <utility>

namespace gather::net {
namespace {

async::Co<std::optional<std::string>> next_of(std::shared_ptr<StreamedExchange> exchange, std::size_t most) {
  co_return co_await exchange->next(most);
}

async::AsyncGenerator<std::string> chunks_of(std::shared_ptr<StreamedExchange> exchange, std::size_t most) {
  while (auto piece = co_await exchange->next(most)) co_yield std::move(*piece);
}

async::Co<std::string> rest_of(std::shared_ptr<StreamedExchange> exchange, bool keep) {
  std::string& body = exchange->kept_body();
  while (const auto piece = co_await exchange->next(ClientResponse::all)) body += *piece;
  if (keep) co_return body;
  co_return std::move(body);
}

}  // namespace

ClientResponse::ClientResponse(std::shared_ptr<StreamedExchange> exchange) noexcept
    : exchange_(std::move(exchange)) {}

ClientResponse& ClientResponse::operator=(ClientResponse&& other) noexcept {
  ClientResponse moved(std::move(other));
  std::swap(exchange_, moved.exchange_);
  return *this;
}

ClientResponse::~ClientResponse() { close(); }

int ClientResponse::status() const noexcept { return exchange_->head().status; }
const std::string& ClientResponse::reason() const noexcept { return exchange_->head().reason; }
const Headers& ClientResponse::headers() const noexcept { return exchange_->head().headers; }
const std::string& ClientResponse::url() const noexcept { return exchange_->request().url; }

std::optional<std::uint64_t> ClientResponse::content_length() const noexcept {
  return exchange_->head().chunked ? std::nullopt : exchange_->head().length;
}

std::string ClientResponse::content_type() const {
  std::string_view type = headers().get("Content-Type", "application/octet-stream");
  type = type.substr(0, type.find_first_of("; \t"));
  std::string lower(type);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

void ClientResponse::raise_for_status() const {
  if (!ok()) throw ClientResponseError(status(), reason(), headers(), url());
}

async::Co<std::optional<std::string>> ClientResponse::read_some(std::size_t most) {
  return next_of(exchange_, most);
}

async::AsyncGenerator<std::string> ClientResponse::chunks(std::size_t most) {
  return chunks_of(exchange_, most);
}

async::Co<std::string> ClientResponse::read() & { return rest_of(exchange_, true); }
async::Co<std::string> ClientResponse::read() && { return rest_of(exchange_, false); }

std::size_t ClientResponse::buffered() const noexcept { return exchange_->buffered(); }
bool ClientResponse::at_eof() const noexcept { return exchange_->at_end(); }

void ClientResponse::close() noexcept {
  static const Failure why{Failure::Kind::local, "the response was closed", true};
  if (exchange_) exchange_->close(why);
}

}  // namespace gather::net
