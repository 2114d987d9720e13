#include "core/job/document/core_schema.hpp"
#include "core/job/document/document.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace gather::job {
namespace {

class Writer {
 public:
  explicit Writer(std::optional<int> indent) : indent_(indent) {}

  // Recursion is safe: a document is at most `deepest` levels deep.
  void write(Value value, int level) {
    switch (value.kind()) {
      case Kind::scalar:
        scalar(value);
        break;
      case Kind::list:
        list(value, level);
        break;
      case Kind::map:
        map(value, level);
        break;
    }
  }

  std::string out;

 private:
  void text(std::string_view text) { out += nlohmann::json(text).dump(); }

  void scalar(Value value) {
    const std::string_view written = value.text();
    if (!value.plain()) return text(written);
    switch (type_of(written)) {
      case Type::null:
        out += "null";
        break;
      case Type::boolean:
        out += written[0] == 't' || written[0] == 'T' ? "true" : "false";
        break;
      case Type::integer:
        integer(written);
        break;
      case Type::real:
        real(written);
        break;
      case Type::text:
        text(written);
        break;
    }
  }

  // As written wherever JSON would write it so: no digit of a long number is lost.
  void integer(std::string_view written) {
    const auto value = to_integer(written);
    if (nlohmann::json::accept(written))
      out += written;
    else if (value)
      out += std::to_string(*value);
    else
      text(written);
  }

  void real(std::string_view written) {
    const double value = *to_real(written);
    if (nlohmann::json::accept(written))
      out += written;
    else if (std::isfinite(value))
      out += nlohmann::json(value).dump();
    else
      text(written);  // JSON has no infinity.
  }

  void list(Value list, int level) {
    out += '[';
    bool first = true;
    for (const Value item : Items(list)) {
      separate(first, level + 1);
      write(item, level + 1);
    }
    if (!first) new_line(level);
    out += ']';
  }

  void map(Value map, int level) {
    out += '{';
    bool first = true;
    for (const auto [key, value] : Members(map)) {
      separate(first, level + 1);
      text(key.text());
      out += indent_ ? ": " : ":";
      write(value, level + 1);
    }
    if (!first) new_line(level);
    out += '}';
  }

  void separate(bool& first, int level) {
    if (!first) out += ',';
    first = false;
    new_line(level);
  }

  void new_line(int level) {
    if (!indent_) return;
    out += '\n';
    out.append(static_cast<std::size_t>(level) * static_cast<std::size_t>(*indent_), ' ');
  }

  std::optional<int> indent_;
};

}  // namespace

std::string to_json(Value value, std::optional<int> indent) {
  Writer writer(indent);
  writer.write(value, 0);
  return std::move(writer.out);
}

}  // namespace gather::job
