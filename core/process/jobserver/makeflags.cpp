#include "core/process/jobserver/makeflags.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

namespace gather::process {
namespace {

/// Flags, and from `--` on what make calls overrides (CC=clang), whose blanks are quoted.
struct Makeflags {
  std::vector<std::string_view> words;
  std::string_view rest;
  bool begins_with_letters = false;  // The first word is short flags without a dash, as in "ks -j4".
};

Makeflags split(std::string_view text) {
  Makeflags flags;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return flags;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    if (word == "--") {
      flags.rest = text;
      return flags;
    }
    if (flags.words.empty()) flags.begins_with_letters = !word.starts_with('-') && !word.contains('=');
    flags.words.push_back(word);
    text.remove_prefix(word.size());
  }
}

/// What follows `--jobserver-auth=`, or the name that it had before make 4.2.
std::optional<std::string_view> auth_in(std::string_view word) {
  for (const std::string_view name : {"--jobserver-auth=", "--jobserver-fds="})
    if (word.starts_with(name)) return word.substr(name.size());
  return std::nullopt;
}

std::optional<JobserverAuth> parse(std::string_view auth) {
  constexpr std::string_view fifo = "fifo:";
  if (auth.starts_with(fifo) && auth.size() > fifo.size())
    return FifoAuth{std::string(auth.substr(fifo.size()))};
  PipeAuth pipe;
  const char* const end = auth.data() + auth.size();
  const auto first = std::from_chars(auth.data(), end, pipe.read);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, pipe.write);
  if (second.ec != std::errc{} || second.ptr != end || pipe.read < 0 || pipe.write < 0) return std::nullopt;
  return pipe;
}

std::string joined(const Makeflags& flags, std::string_view more) {
  std::string text;
  bool first = true;
  for (const std::string_view word : flags.words) {
    if (auth_in(word) || word.starts_with("-j")) continue;
    // A blank in front says that there are no letters.
    if (!first || !flags.begins_with_letters) text += ' ';
    text += word;
    first = false;
  }
  text += more;
  if (!flags.rest.empty()) text.append(" ").append(flags.rest);
  return text;
}

}  // namespace

std::optional<JobserverAuth> jobserver_of(std::string_view makeflags) {
  std::optional<std::string_view> last;
  for (const std::string_view word : split(makeflags).words)
    if (const auto auth = auth_in(word)) last = auth;
  return last ? parse(*last) : std::nullopt;
}

bool is_dry_run(std::string_view makeflags) {
  const Makeflags flags = split(makeflags);
  return flags.begins_with_letters && flags.words.front().contains('n');
}

std::string without_jobserver(std::string_view makeflags) { return joined(split(makeflags), ""); }

std::string with_jobserver(std::string_view makeflags, const JobserverAuth& auth, std::size_t slots) {
  std::string spelled;
  if (const auto* const pipe = std::get_if<PipeAuth>(&auth))
    spelled = fmt::format("{},{}", pipe->read, pipe->write);
  else
    spelled = "fifo:" + std::get<FifoAuth>(auth).path;
  return joined(split(makeflags), fmt::format(" -j{} --jobserver-auth={}", slots, spelled));
}

}  // namespace gather::process
