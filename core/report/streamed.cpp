#include "core/report/streamed.hpp"

#include <limits>

namespace gather::report {
namespace {

constexpr auto ourselves = LineMixer::Writer(std::numeric_limits<std::uint64_t>::max());

}  // namespace

Streamed::Streamed(Terminal& terminal, Options options)
    : terminal_(terminal),
      options_(std::move(options)),
      out_place_{terminal.out_is_terminal(), terminal.shared(), {}},
      err_place_{terminal.err_is_terminal(), true, {}},
      out_([this](Writer writer, std::string_view text) { write(writer, text); }),
      err_([this](Writer writer, std::string_view text) { write(writer, text); }) {}

void Streamed::add(job::TaskId id, run::Stream stream, std::string_view piece) {
  const Writer key = writer(id, stream);
  const bool err = to_err(key);
  auto found = dresses_.find(key);
  if (found == dresses_.end())
    found = dresses_.emplace(key, Dress{Labels(options_.tag ? options_.tag(id) : ""), {}}).first;
  Dress& dress = found->second;
  if (place(err).is_terminal) piece = dress.harmless.on(piece);
  mixer(err).add(key, dress.labels.on(piece));
}

bool Streamed::end(job::TaskId id) {
  bool wrote = false;
  for (const run::Stream stream : {run::Stream::out, run::Stream::err}) {
    const Writer key = writer(id, stream);
    auto dress = dresses_.extract(key);
    if (!dress) continue;
    wrote = true;
    LineMixer& lines = mixer(to_err(key));
    lines.add(key, dress.mapped().labels.on(dress.mapped().harmless.rest()));
    lines.end(key);
  }
  return wrote;
}

void Streamed::say(std::string_view lines) { mixer(true).add(ourselves, lines); }

bool Streamed::to_err(Writer writer) const {
  return writer == ourselves || options_.all_to_err ||
         static_cast<run::Stream>(static_cast<std::uint64_t>(writer) & 1) == run::Stream::err;
}

void Streamed::write(Writer writer, std::string_view text) {
  const bool err = to_err(writer);
  Place& where = place(err);
  if (where.beside_ours && options_.before_err) options_.before_err();
  const auto put = [&](std::string_view part) { err ? terminal_.err(part) : terminal_.out(part); };
  if (where.is_terminal) {
    if (where.coloured && *where.coloured != writer) {
      put("\x1b[0m");
      where.coloured.reset();
    }
    if (writer != ourselves && text.contains('\x1b')) where.coloured = writer;
  }
  put(text);
}

}  // namespace gather::report
