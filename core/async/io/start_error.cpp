#include "core/async/io/start_error.hpp"

#include "core/async/io/child.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <string_view>

namespace gather::async {
namespace {

std::string seen_from(const std::string& directory, const std::string& path) {
  return directory.empty() || path.starts_with('/') ? path : directory + "/" + path;
}

/// The first line, as far as the kernel reads it.
std::string first_line(const std::string& path) {
  std::array<char, 256> text{};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return {};
  const ssize_t length = read(descriptor, text.data(), text.size());
  close(descriptor);
  const std::string_view head(text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  return std::string(head.substr(0, head.find('\n')));
}

/// The interpreter that a `#!` line names; empty if it is not such a line, or names none.
std::string interpreter_of(std::string_view line) {
  if (!line.starts_with("#!")) return {};
  line.remove_prefix(std::min(line.find_first_not_of(" \t", 2), line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

StartError unknown_program(const ChildSpec& spec) {
  const std::string& program = spec.argv.front();
  if (program.contains('/')) {
    const bool relative = !program.starts_with('/') && !spec.directory.empty();
    return {
        StartFailure::not_found,
        fmt::format("there is no program {}{}", in_quotes(program),
                    relative ? fmt::format(" in the working directory {}", in_quotes(spec.directory)) : "")};
  }
  if (program.empty()) return {StartFailure::not_found, "the program's name is empty"};
  const char* const path = spec.environment.find("PATH");
  if (path == nullptr)
    return {
        StartFailure::not_found,
        fmt::format("there is no program {} in /bin or /usr/bin, and PATH is not set", in_quotes(program))};
  return {StartFailure::not_found, fmt::format("there is no program {} in PATH ({}); is it installed?",
                                               in_quotes(program), in_quotes(path, 200))};
}

StartError explain_directory(const ChildSpec& spec, int error) {
  return {StartFailure::bad_directory, fmt::format("can't enter the working directory {}: {}",
                                                   in_quotes(spec.directory, 200), system_error_text(error))};
}

StartError explain_length(const ChildSpec& spec) {
  // MAX_ARG_STRLEN of Linux, 32 pages; the sum is a quarter of the stack's limit, 2 MB as a rule.
  constexpr std::size_t longest_string = std::size_t{32} * 4096;
  std::size_t longest = 0;
  std::size_t sum = 0;
  const auto count = [&](const std::string& string) {
    longest = std::max(longest, string.size() + 1);
    sum += string.size() + 1 + sizeof(char*);
  };
  std::ranges::for_each(spec.argv, count);
  spec.environment.for_each(count);
  if (longest > longest_string)
    return {StartFailure::too_long,
            fmt::format("an argument or environment value of {} is longer than one process can take ({} "
                        "bytes at most); pass it on stdin or in a file",
                        in_quotes(spec.argv.front()), longest_string)};
  return {StartFailure::too_long,
          fmt::format("arguments and environment of {} are {} bytes together, more than a process can take "
                      "({} here); pass them on stdin or in a file",
                      in_quotes(spec.argv.front()), sum, sysconf(_SC_ARG_MAX))};
}

/// A file that may be executed, and that the kernel did not take.
StartError explain_refusal(const ChildSpec& spec, const std::string& candidate, int error) {
  const std::string path = seen_from(spec.directory, candidate);
  const std::string line = first_line(path);
  const std::string name = in_quotes(candidate, 200);
  const std::string interpreter = interpreter_of(line);
  if (line.starts_with("#!") && interpreter.empty())
    return {StartFailure::no_interpreter, fmt::format("{} names no interpreter in its #! line", name)};
  if (!interpreter.empty()) {
    const std::string at = seen_from(spec.directory, interpreter);
    if (access(at.c_str(), F_OK) != 0)
      return {StartFailure::no_interpreter,
              fmt::format("{} needs the interpreter {}, which is not there; its first line names it", name,
                          in_quotes(interpreter, 200))};
    return {StartFailure::no_interpreter,
            fmt::format("{} needs the interpreter {}, which can't be run: {}", name,
                        in_quotes(interpreter, 200), system_error_text(error))};
  }
  if (line.starts_with("\x7f"
                       "ELF")) {
    if (error == ENOENT)
      return {StartFailure::no_interpreter,
              fmt::format("{} needs a loader (ld.so) that is not there; is it for another system?", name)};
    if (error != EACCES)
      return {StartFailure::wrong_format,
              fmt::format("{} is a program for another kind of machine, or damaged: {}", name,
                          system_error_text(error))};
  }
  if (error == ENOEXEC)
    return {StartFailure::no_interpreter,
            fmt::format("{} is no program, and has no #! line that would name its interpreter", name)};
  return {error == EACCES ? StartFailure::not_executable : StartFailure::other,
          fmt::format("can't run {}: {}", name, system_error_text(error))};
}

StartError explain_program(const ChildSpec& spec, int error) {
  StartError result = unknown_program(spec);
  for (const std::string& candidate : program_candidates(spec)) {
    const std::string path = seen_from(spec.directory, candidate);
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) {
      if (errno != ENOENT && errno != ENOTDIR && result.kind == StartFailure::not_found)
        result = {errno == EACCES ? StartFailure::not_executable : StartFailure::other,
                  fmt::format("can't look at {}: {}", in_quotes(candidate, 200), system_error_text(errno))};
    } else if (S_ISDIR(status.st_mode)) {
      if (result.kind == StartFailure::not_found)
        result = {StartFailure::is_directory,
                  fmt::format("{} is a directory, not a program", in_quotes(candidate, 200))};
    } else if (access(path.c_str(), X_OK) != 0) {
      if (result.kind != StartFailure::not_executable)
        result = {StartFailure::not_executable,
                  fmt::format("{} may not be executed; chmod +x would allow it", in_quotes(candidate, 200))};
    } else {
      return explain_refusal(spec, candidate, error);
    }
  }
  return result;
}

StartError explain(const ChildSpec& spec, StartStep step, int error) {
  switch (error) {
    case EAGAIN:
      return {StartFailure::too_many_processes,
              "too many processes; raise the limit (ulimit -u, or the container's), or run fewer at once"};
    case EMFILE:
    case ENFILE:
      return explain_descriptors(error);
    default:
      break;
  }
  if (step == StartStep::directory) return explain_directory(spec, error);
  if (step != StartStep::program)
    return {StartFailure::other,
            fmt::format("can't start {}: {}", in_quotes(spec.argv.front()), system_error_text(error))};
  switch (error) {
    case E2BIG:
      return explain_length(spec);
    case ETXTBSY:
      return {StartFailure::busy,
              fmt::format("{} is being written, so it can't run yet", in_quotes(spec.argv.front(), 200))};
    default:
      return explain_program(spec, error);
  }
}

}  // namespace

StartError explain_descriptors(int error) {
  return {error == EMFILE || error == ENFILE ? StartFailure::too_many_files : StartFailure::other,
          error == EMFILE
              ? std::string("too many open files; raise the limit (ulimit -n), or run fewer at once")
          : error == ENFILE ? std::string("too many open files in the whole system; run fewer at once")
                            : fmt::format("can't make a pipe: {}", system_error_text(error)),
          error};
}

StartError explain_start(const ChildSpec& spec, StartStep step, int error) {
  StartError result = explain(spec, step, error);
  result.code = error;
  return result;
}

}  // namespace gather::async
