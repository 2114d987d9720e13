// The keys of a fetch that say how it is sent: time, pace, route, trust.
#include "core/base/size.hpp"
#include "core/job/check/fetch_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace gather::job {
namespace {

struct CertDraft {
  ClientCertificate cert;
};

constexpr auto cert_keys = std::to_array<Key<CertDraft>>({
    {"certificate",
     [](Reader& r, Member m, CertDraft& to) {
       if (auto path = read_path(r, m.value)) to.cert.certificate = std::move(*path);
     }},
    {"key",
     [](Reader& r, Member m, CertDraft& to) {
       if (auto path = read_path(r, m.value)) to.cert.key = std::move(*path);
     }},
});

}  // namespace

/// Why `text` can't be a path or an option of libcurl's: both end at a NUL.
bool holds_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::optional<std::filesystem::path> read_path(Reader& reader, Value value) {
  const auto text = reader.text(value);
  if (!text) return std::nullopt;
  if (text->empty() || holds_control(*text)) {
    reader.error(value, fmt::format("{} names no file", code(*text)));
    return std::nullopt;
  }
  return std::filesystem::path(*text);
}

std::optional<std::uint64_t> read_bytes(Reader& reader, Value value) {
  const auto text = reader.scalar(value, "a number of bytes");
  if (!text) return std::nullopt;
  const auto count = parse_size(*text);
  if (!count) reader.error(value, fmt::format("{} is no number of bytes", code(*text)), size_examples);
  return count;
}

void read_connect_timeout(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto limit = reader.positive_duration(member.value))
    draft.fetch.transport.edit().connect_timeout = limit;
}

void read_stall_timeout(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto limit = reader.positive_duration(member.value))
    draft.fetch.transport.edit().stall_timeout = limit;
}

void read_limit_rate(Reader& reader, Member member, FetchDraft& draft) {
  const auto rate = read_bytes(reader, member.value);
  if (rate == 0) return reader.error(member.value, "nothing would ever arrive", "leave it out for no limit");
  if (rate) draft.fetch.transport.edit().limit_rate = rate;
}

void read_redirects(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto most = reader.whole(member.value, 0, 100)) draft.fetch.transport.edit().redirects = *most;
}

void read_trust_redirects(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto yes = reader.boolean(member.value)) draft.fetch.transport.edit().trust_redirects = *yes;
}

void read_http(Reader& reader, Member member, FetchDraft& draft) {
  const auto version = reader.scalar(member.value, "a version of HTTP");
  if (!version) return;
  if (*version == "auto")
    draft.fetch.transport.edit().http = HttpVersion::automatic;
  else if (*version == "1.1")
    draft.fetch.transport.edit().http = HttpVersion::one;
  else if (*version == "2")
    draft.fetch.transport.edit().http = HttpVersion::two;
  else
    reader.error(member.value, fmt::format("{} is no version of HTTP that can be asked for", code(*version)),
                 "write auto, 1.1 or 2");
}

void read_proxy(Reader& reader, Member member, FetchDraft& draft) {
  const auto proxy = reader.text(member.value);
  if (!proxy) return;
  constexpr std::array<std::string_view, 6> schemes{"http://",    "https://",  "socks4://",
                                                    "socks4a://", "socks5://", "socks5h://"};
  const auto* const scheme =
      std::ranges::find_if(schemes, [&](std::string_view known) { return proxy->starts_with(known); });
  // It may hold a password, so it is not shown.
  if (!proxy->empty() &&
      (scheme == schemes.end() || proxy->size() == scheme->size() || holds_control(*proxy)))
    return reader.secret_error(
        member.value, "this is no proxy",
        "as in http://proxy.example.org:3128 or socks5h://127.0.0.1:1080, or \"\" for none");
  draft.fetch.transport.edit().proxy = std::string(*proxy);
}

void read_netrc(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto yes = reader.boolean(member.value)) draft.fetch.transport.edit().netrc = *yes;
}

void read_cacert(Reader& reader, Member member, FetchDraft& draft) {
  if (auto path = read_path(reader, member.value)) draft.fetch.transport.edit().cacert = std::move(*path);
}

void read_cert(Reader& reader, Member member, FetchDraft& draft) {
  const Reader::LateValues refused(reader, false);  // Which certificate is shown is nobody else's choice.
  CertDraft cert;
  if (member.value.is_scalar()) {
    if (auto path = read_path(reader, member.value)) cert.cert.certificate = std::move(*path);
  } else if (reader.is_map(member.value, "as in `{certificate: me.pem, key: me.key}`")) {
    const std::size_t before = reader.findings().errors();
    reader.keys(member.value, cert_keys, cert);
    if (cert.cert.certificate.empty() && reader.findings().errors() == before && !holds_late(member.value))
      reader.error(member.value, "a key alone is not enough", "add `certificate`");
  }
  if (!cert.cert.certificate.empty())
    draft.fetch.transport.edit().cert = std::make_shared<const ClientCertificate>(std::move(cert.cert));
}

void read_insecure(Reader& reader, Member member, FetchDraft& draft) {
  const auto yes = reader.boolean(member.value);
  if (!yes) return;
  draft.fetch.transport.edit().insecure = *yes;
  if (*yes)
    reader.findings().warning(
        member.key.extent(),
        "certificates are not checked: anyone on the way can read and change what is fetched",
        "`cacert` names the authority of a server with a certificate of its own");
}

void read_public_only(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto yes = reader.boolean(member.value)) draft.fetch.transport.edit().public_only = *yes;
}

void read_unix_socket(Reader& reader, Member member, FetchDraft& draft) {
  if (auto path = read_path(reader, member.value))
    draft.fetch.transport.edit().unix_socket = std::move(*path);
}

void read_resolve(Reader& reader, Member member, FetchDraft& draft) {
  std::vector<std::string> entries;
  for (const Value item : reader.one_or_more(member.value, "host:port:address or a list of them")) {
    const auto text = reader.scalar(item, "host:port:address");
    if (!text) continue;
    const std::size_t host = text->find(':');
    const std::size_t port = host == std::string_view::npos ? host : text->find(':', host + 1);
    unsigned number = 0;
    bool good = port != std::string_view::npos && host > 0 && port + 1 < text->size();
    if (good) {
      const auto [end, failure] = std::from_chars(text->data() + host + 1, text->data() + port, number);
      good = failure == std::errc() && end == text->data() + port && number >= 1 && number <= 65535 &&
             std::ranges::all_of(text->substr(port + 1),
                                 [](unsigned char c) {
                                   return std::isxdigit(c) != 0 ||
                                          std::string_view(".:,[]").contains(static_cast<char>(c));
                                 }) &&
             std::ranges::all_of(text->substr(0, host), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
             });
    }
    if (good)
      entries.emplace_back(*text);
    else
      reader.error(item, fmt::format("{} is not host:port:address", code(*text)),
                   "as in example.org:443:127.0.0.1");
  }
  draft.fetch.transport.edit().resolve = std::move(entries);
}

}  // namespace gather::job
