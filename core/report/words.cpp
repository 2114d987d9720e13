#include "core/report/words.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

namespace gather::report {
namespace {

constexpr std::size_t most_in_chain = 8;

struct InWords {
  std::string operator()(const job::Milestone&) const { return "milestone"; }
  std::string operator()(const job::Sleep& sleep) const { return "sleep " + spell(sleep.length); }
  std::string operator()(const job::Run& run) const { return inert(shell_quoted(run.argv)); }
  std::string operator()(const job::Shell& shell) const {
    std::string_view script = shell.script;
    const std::size_t begin = script.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return "sh:";
    script.remove_prefix(begin);
    const std::size_t end = script.find('\n');
    const bool more =
        end != std::string_view::npos && script.find_first_not_of(" \t\n", end) != std::string_view::npos;
    return fmt::format("sh: {}{}", inert(script.substr(0, end)), more ? " …" : "");
  }
  std::string operator()(const std::unique_ptr<const job::Fetch>& fetch) const {
    return inert(fmt::format("{} {}", fetch->request->method,
                             fetch->url.empty() ? "(a URL that is known later)" : fetch->url));
  }
};

}  // namespace

std::string_view word(run::State state) {
  if (state == run::State::passed) return "ok";
  if (state == run::State::timed_out) return "timed out";
  return run::name(state);
}

std::string painted(std::string_view text, run::State state, Colour colour) {
  if (colour == Colour::off) return std::string(text);
  int code = 0;
  switch (state) {
    case run::State::passed:
      code = 32;  // Green.
      break;
    case run::State::failed:
    case run::State::timed_out:
      code = 31;  // Red.
      break;
    case run::State::flaky:
    case run::State::cancelled:
      code = 33;  // Yellow.
      break;
    case run::State::skipped:
    case run::State::waiting:
    case run::State::ready:
    case run::State::running:
      code = 2;  // Dim.
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string_view plural(run::Kind kind) {
  switch (kind) {
    case run::Kind::sleep:
      return "sleeps";
    case run::Kind::process:
      return "processes";
    case run::Kind::fetch:
      return "fetches";
    case run::Kind::none:
      return "milestones";
  }
  return "";
}

std::string count_of(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string times(double ratio) {
  if (ratio < 9.995) return fmt::format("{:.2f}x", ratio);
  if (ratio < 99.95) return fmt::format("{:.1f}x", ratio);
  return fmt::format("{:.0f}x", ratio);
}

std::string chain_of(const job::Job& job, std::span<const job::TaskId> tasks) {
  std::string text;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i > 0) text += " > ";
    if (tasks.size() > most_in_chain && i == most_in_chain - 1) {
      text += fmt::format("… {} more … > ", tasks.size() - most_in_chain);
      i = tasks.size() - 1;
    }
    text += inert(job[tasks[i]].id);
  }
  return text;
}

std::string in_words(const run::LimitsInForce& limits) {
  return fmt::format("jobs={} processes={} fetches={}", limits.jobs, limits.processes, limits.fetches);
}

std::string in_words(const job::Action& action) { return std::visit(InWords{}, action); }

}  // namespace gather::report
