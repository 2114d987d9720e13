/// A file behind a ScriptedServer that can be asked for in part, rightly or in one of the ways in which
/// servers get it wrong.
#pragma once

#include "tests/support/scripted_server.hpp"

#include <cstddef>
#include <string>

namespace gather::test {

/// Answers GETs, with an ETag. Not for several threads at once: let the server's script own it, or change it
/// while no request is on its way.
struct RangedFile {
  enum class Manner {
    right,  ///< 206 for a range that If-Range allows; 200 if that names another version; 416 past the end.
    ignores_range,     ///< 200, always.
    ignores_if_range,  ///< 206 of what the file is now, with its ETag.
    drops_etag,        ///< The same without an ETag.
    wrong_start,       ///< 206 that begins one byte later than asked for.
    changed_total,     ///< 206 with one byte more in total than there was.
    never_satisfied,   ///< 416, whatever the range.
  };

  std::string content;
  std::string etag;  ///< With its quotes.
  Manner manner = Manner::right;

  /// The whole reply, as bytes.
  std::string answer(const ScriptedServer::Request& request) const;
};

}  // namespace gather::test
