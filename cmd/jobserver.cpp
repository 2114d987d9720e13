#include "cmd/jobserver.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>
#include <utility>

namespace gather::cmd {
namespace {

std::string_view makeflags() {
  const char* const value = std::getenv("MAKEFLAGS");
  return value == nullptr ? "" : value;
}

}  // namespace

JobserverChoice choose_jobserver(const std::optional<Given>& style, const std::optional<Given>& jobs,
                                 std::size_t processes) {
  using process::Jobserver;
  const std::string chosen = style ? style->value : "pipe";
  if (chosen != "pipe" && chosen != "fifo" && chosen != "none")
    throw Error(ExitStatus::usage, fmt::format("{}: {} is no style of a jobserver; one of pipe, fifo, none",
                                               style->origin, in_quotes(chosen)));
  if (chosen == "none") return {};
  std::string note;
  if (const auto auth = process::jobserver_of(makeflags())) {
    auto joined = jobs ? std::unexpected(fmt::format("{} gives a number of slots", jobs->origin))
                       : Jobserver::join(*auth, processes);
    if (joined) return {*std::move(joined)};
    note = fmt::format("make's jobserver is not used: {}", inert(joined.error()));
  }
  if (processes < 2 || processes > Jobserver::most_slots) return {nullptr, std::move(note)};
  auto made = Jobserver::make(processes, chosen == "fifo" ? Jobserver::Style::fifo : Jobserver::Style::pipe);
  if (made) return {*std::move(made), std::move(note)};
  if (!note.empty()) note += "; ";
  return {nullptr, note + fmt::format("programs get no jobserver: {}", inert(made.error()))};
}

void use_jobserver(Engine& engine, JobserverChoice choice, report::Plain& plain) {
  if (!choice.note.empty()) plain.note(choice.note);
  engine.use(std::move(choice.jobserver), [&plain](std::size_t lost) {
    plain.note(fmt::format("{} of the jobserver {} not given back, as by a program that is killed; made anew",
                           lost == 1 ? "a token" : fmt::format("{} tokens", lost),
                           lost == 1 ? "was" : "were"));
  });
}

bool make_only_plans() { return process::is_dry_run(makeflags()); }

}  // namespace gather::cmd
