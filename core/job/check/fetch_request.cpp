// The keys of a fetch that say what is asked: query, bodies, credentials.
#include "core/job/check/fetch_request.hpp"

#include "core/job/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace gather::job {
namespace {

std::size_t members(Value map) {
  std::size_t count = 0;
  for ([[maybe_unused]] const Member member : Members(map)) ++count;
  return count;
}

std::string encoded(const std::vector<NameValue>& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", percent_encoded(name), percent_encoded(value));
  return out;
}

/// Names with a value each, or with a list of them, for as many fields. False where something is wrong.
bool read_fields(Reader& reader, Value map, std::string_view example, std::vector<NameValue>& fields) {
  if (!reader.is_map(map, std::string(example))) return false;
  bool all = true;
  for (const Member field : Members(map)) {
    if (!reader.has_value(field, for_empty_text)) {
      all = false;
      continue;
    }
    for (const Value value : reader.one_or_more(field.value, "a text or a list of them")) {
      const auto text = reader.scalar(value, "a text");
      if (text) fields.emplace_back(field.key.text(), *text);
      all = all && text;
    }
  }
  return all;
}

bool is_variable(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

struct SecretDraft {
  std::optional<SecretSource> source;
};

constexpr auto secret_keys = std::to_array<Key<SecretDraft>>({
    {"env",
     [](Reader& r, Member m, SecretDraft& to) {
       const auto name = r.text(m.value);
       if (!name) return;
       if (!is_variable(*name))
         r.secret_error(m.key, "this is no name of an environment variable", "as in `{env: TOKEN}`");
       else
         to.source = SecretSource{SecretSource::Kind::environment, std::string(*name)};
     }},
    {"file",
     [](Reader& r, Member m, SecretDraft& to) {
       if (const auto path = read_path(r, m.value))
         to.source = SecretSource{SecretSource::Kind::file, path->string()};
     }},
});

void read_secret(Reader& reader, Member member, std::optional<SecretSource>& into) {
  if (member.value.is_scalar() && (member.value.filled() || member.value.late())) {
    // It does not stand in the file.
    if (const auto text = reader.text(member.value))
      into = SecretSource{SecretSource::Kind::given, std::string(*text)};
    return;
  }
  const Reader::LateValues refused(reader, false);  // Which secret is sent is nobody else's choice.
  if (!member.value.is_map())
    return reader.secret_error(
        member.key,
        fmt::format("{} is a secret, and a job file is no place for one", code(member.key.text())),
        "write `{env: NAME}` for a variable, or `{file: PATH}` for a file that holds it");
  SecretDraft draft;
  reader.keys(member.value, secret_keys, draft);
  if (members(member.value) != 1)
    reader.error(member.key, "a secret has one source", "either `env` or `file`");
  else
    into = draft.source;
}

struct AuthDraft {
  std::optional<std::string> user;
  std::optional<SecretSource> secret;
  Auth auth;
};

constexpr auto basic_keys = std::to_array<Key<AuthDraft>>({
    {"user",
     [](Reader& r, Member m, AuthDraft& to) {
       const auto user = r.text(m.value);
       if (!user) return;
       if (user->contains(':') || holds_control(*user))
         r.error(m.value, "a user's name can't hold `:` or control characters");
       else
         to.user = std::string(*user);
     }},
    {"password", [](Reader& r, Member m, AuthDraft& to) { read_secret(r, m, to.secret); }},
});

constexpr auto bearer_keys = std::to_array<Key<AuthDraft>>({
    {"token", [](Reader& r, Member m, AuthDraft& to) { read_secret(r, m, to.secret); }},
});

void read_basic(Reader& reader, Member member, AuthDraft& to) {
  if (!reader.is_map(member.value, "as in `basic: {user: me, password: {env: PASSWORD}}`")) return;
  const std::size_t before = reader.findings().errors();
  reader.keys(member.value, basic_keys, to);
  if (to.user && to.secret)
    to.auth = BasicAuth{*to.user, *to.secret};
  else if (reader.findings().errors() == before && !holds_late(member.value))
    reader.error(member.key, "`basic` needs a `user` and a `password`",
                 "as in `basic: {user: me, password: {env: PASSWORD}}`");
}

void read_bearer(Reader& reader, Member member, AuthDraft& to) {
  if (!member.value.is_map())
    return reader.secret_error(
        member.key, "`bearer` is a mapping",
        "as in `bearer: {token: {env: TOKEN}}`, or `bearer: {token: \"${{ tasks.login.outputs.token }}\"}`");
  const std::size_t before = reader.findings().errors();
  reader.keys(member.value, bearer_keys, to);
  if (to.secret)
    to.auth = BearerAuth{*to.secret};
  else if (reader.findings().errors() == before && !holds_late(member.value))
    reader.error(member.key, "`bearer` needs a `token`", "as in `bearer: {token: {env: TOKEN}}`");
}

constexpr auto auth_keys = std::to_array<Key<AuthDraft>>({{"basic", read_basic}, {"bearer", read_bearer}});

struct PartDraft {
  FormPart part;
  bool has_value = false;
};

constexpr auto part_keys = std::to_array<Key<PartDraft>>({
    {"file", [](Reader& r, Member m, PartDraft& to) { to.part.file = read_path(r, m.value); }},
    {"value",
     [](Reader& r, Member m, PartDraft& to) {
       to.has_value = true;
       if (const auto text = r.scalar(m.value, "a text")) to.part.value = *text;
     }},
    {"type",
     [](Reader& r, Member m, PartDraft& to) {
       const auto type = r.text(m.value);
       if (!type) return;
       const std::size_t slash = type->find('/');
       if (holds_control(*type) || slash == std::string_view::npos || !is_token(type->substr(0, slash)))
         r.error(m.value, fmt::format("{} is no media type", code(*type)), "as in text/csv");
       else
         to.part.type = *type;
     }},
});

void read_part(Reader& reader, std::string_view name, Value value, std::vector<FormPart>& parts) {
  PartDraft draft;
  draft.part.name = name;
  if (value.is_scalar()) {
    draft.part.file = read_path(reader, value);
  } else if (reader.is_map(value, "as in `{file: table.csv, type: text/csv}` or `{value: text}`")) {
    const std::size_t before = reader.findings().errors();
    reader.keys(value, part_keys, draft);
    if (draft.part.file.has_value() == draft.has_value && reader.findings().errors() == before &&
        !holds_late(value))
      reader.error(value, "a part is a `file` or a `value`", "write one of the two");
  }
  parts.push_back(std::move(draft.part));
}

}  // namespace

void read_query(Reader& reader, Member member, FetchDraft& draft) {
  std::vector<NameValue> fields;
  if (!read_fields(reader, member.value, "as in `query: {page: 2, tag: [a, b]}`", fields)) return;
  // A task's own take the place of those by the same name in the defaults.
  std::erase_if(draft.query, [&](const NameValue& old) {
    return std::ranges::find(fields, old.first, &NameValue::first) != fields.end();
  });
  draft.query.insert(draft.query.end(), fields.begin(), fields.end());
}

void append_query(std::string& url, const std::vector<NameValue>& query) {
  if (query.empty() || url.empty()) return;
  const std::size_t end = std::min(url.find('#'), url.size());
  const std::size_t mark = url.find('?');
  const bool has_query = mark < end;
  std::string added = has_query ? (mark + 1 == end || url[end - 1] == '&' ? "" : "&") : "?";
  url.insert(end, added + encoded(query));
}

void read_form(Reader& reader, Member member, FetchDraft& draft) {
  std::vector<NameValue> fields;
  if (!is_only_body(reader, member, draft) ||
      !read_fields(reader, member.value, "as in `form: {name: value}`", fields))
    return;
  draft.fetch.request.edit().body = encoded(fields);
  draft.body_type = "application/x-www-form-urlencoded";
}

void read_files(Reader& reader, Member member, FetchDraft& draft) {
  if (!is_only_body(reader, member, draft) ||
      !reader.is_map(member.value, "as in `files: {photo: cat.jpg, title: {value: Cat}}`"))
    return;
  for (const Member part : Members(member.value)) {
    if (!reader.has_value(part)) continue;
    const std::string_view name = part.key.text();
    if (holds_control(name)) reader.error(part.key, fmt::format("{} is no name for a part", code(name)));
    if (!part.value.is_list()) {
      read_part(reader, name, part.value, draft.fetch.request.edit().files);
      continue;
    }
    for (const Value item : Items(part.value))
      read_part(reader, name, item, draft.fetch.request.edit().files);
  }
  if (members(member.value) == 0) reader.error(member.value, "there is nothing to send", "name a file");
}

void read_auth(Reader& reader, Member member, FetchDraft& draft) {
  if (!reader.is_map(member.value, "as in `auth: {bearer: {token: {env: TOKEN}}}`")) return;
  AuthDraft auth;
  reader.keys(member.value, auth_keys, auth);
  if (members(member.value) != 1)
    return reader.error(member.key, "`auth` is either `basic` or `bearer`", "write one of the two");
  draft.fetch.request.edit().auth = std::move(auth.auth);
  draft.auth = member.key;
  draft.auth_mapping = draft.mapping;
}

void join_auth_and_headers(Reader& reader, FetchDraft& draft) {
  const auto header = draft.headers.find("authorization");
  if (std::holds_alternative<std::monostate>(draft.fetch.request->auth) || header == draft.headers.end())
    return;
  if (header->second.mapping == draft.auth_mapping)
    return reader.error(draft.auth, "there is a header Authorization as well", "remove one of them");
  if (header->second.mapping > draft.auth_mapping)
    draft.fetch.request.edit().auth = std::monostate();
  else
    std::erase_if(draft.fetch.request.edit().headers,
                  [](const NameValue& entry) { return lower(entry.first) == "authorization"; });
}

}  // namespace gather::job
