#include "core/net/client_request.hpp"

#include "core/net/url.hpp"

namespace gather::net {

RequestBody json_body(std::string text) { return {std::move(text), "application/json"}; }

RequestBody form_body(const Fields& fields) {
  return {percent_encoded(fields), "application/x-www-form-urlencoded"};
}

RequestBody stream_body(BodySource source, std::optional<std::uint64_t> length) {
  return {std::move(source), length};
}

}  // namespace gather::net
