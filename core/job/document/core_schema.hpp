/// What a plain scalar is, by YAML 1.2's core schema (JSON's types are part of it).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gather::job {

enum class Type : std::uint8_t { null, boolean, integer, real, text };

/// The type of a plain scalar: `null`, `~` and nothing; `true`, `False`; `-1`, `0x1f`, `0o17`; `1.5`, `1e3`,
/// `.inf`,
/// `.nan`; text otherwise, which includes `no`, `1_000` and `12:30`.
Type type_of(std::string_view plain);

/// The value of an integer; nothing if it is none or does not fit.
std::optional<std::int64_t> to_integer(std::string_view plain);

/// The value of an integer or real; nothing if it is none. May be infinite or not a number.
std::optional<double> to_real(std::string_view plain);

/// Why other readers of YAML would not take an unquoted text for text (YAML 1.1's `no`, `1:30`, `010`): what
/// they take it for, e.g. "false". Empty if it is safe.
std::string_view misread_as(std::string_view plain);

}  // namespace gather::job
