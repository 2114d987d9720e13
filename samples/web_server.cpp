/// A small HTTP server on core/async: what the samples and the tests fetch from. `web_server --help` says
/// more.
#include "core/async/io/server.hpp"
#include "core/async/io/signal.hpp"
#include "core/async/loop/loop.hpp"
#include "core/base/error.hpp"
#include "samples/web/command.hpp"
#include "samples/web/site.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace gather::async;
using gather::Error;
using gather::ExitStatus;

constexpr std::string_view help =
    R"(usage: web_server [--port N] [--port-file FILE] [-- COMMAND [ARGUMENT]...]

Listens on 127.0.0.1 until SIGTERM or SIGINT. With a COMMAND it starts that when it is ready, with
WEB_SERVER_PORT in its environment, and ends when the command does, with its exit status.

  --port N          the port (8711); 0 is any free one
  --port-file FILE  write the port there when ready, instead of a line on stderr

Paths: /delay/MS[/NAME] /bytes/N /status/CODE /flaky/KEY/N /pages/N/K /echo /peak /reset
)";

struct Options {
  std::uint16_t port = 8711;
  std::filesystem::path port_file{};
  std::vector<std::string> command{};
};

std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(ExitStatus::usage, fmt::format("--port {}: give a number from 0 to 65535", text));
  return port;
}

// Nothing if the help has been printed.
std::optional<Options> parse_options(std::span<char* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "--help") {
      fmt::print("{}", help);
      return std::nullopt;
    }
    if (++i == arguments.size())
      throw Error(ExitStatus::usage,
                  fmt::format("{} is unknown or needs a value; see web_server --help", word));
    if (word == "--") {
      options.command.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    if (word == "--port")
      options.port = parse_port(arguments[i]);
    else if (word == "--port-file")
      options.port_file = arguments[i];
    else
      throw Error(ExitStatus::usage, fmt::format("{} is unknown; see web_server --help", word));
  }
  return options;
}

// Under another name first, so that whoever waits for the file never sees it empty.
void write_port(const std::filesystem::path& file, std::uint16_t port) {
  const std::filesystem::path part = file.string() + ".part";
  std::ofstream stream(part);
  stream << port << '\n';
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(part, file, error);
  if (!stream || error) throw Error(ExitStatus::task_failed, fmt::format("can't write {}", file.string()));
}

void announce(const Options& options, std::uint16_t port) {
  if (!options.port_file.empty())
    write_port(options.port_file, port);
  else if (options.command.empty())
    fmt::print(stderr, "listening on http://127.0.0.1:{}\n", port);
}

// As many connections as we are allowed: the soft limit is 1,024 as a rule. Not before the command has
// started, for which that may mean something.
void raise_descriptor_limit() noexcept {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Co<int> serve(Loop& loop, const Options& options) {
  web::Site site;
  Event stop;
  std::optional<web::Command> command;
  const auto on_signal = [&](int number) {
    if (!command)
      stop.set();
    else if (number == SIGTERM)
      command->terminate();
    // Ctrl-C at the terminal reaches the command by itself, and its end is ours.
  };
  const SignalWatch interrupted(loop, SIGINT, on_signal);
  const SignalWatch terminated(loop, SIGTERM, on_signal);

  const auto handler = [&site](Stream stream) { return site.serve(std::move(stream)); };
  co_return co_await with_server(start_server(handler, "127.0.0.1", options.port),
                                 [&](Server& server) -> Co<int> {
                                   announce(options, server.port());
                                   if (!options.command.empty())
                                     command.emplace(options.command, server.port());
                                   raise_descriptor_limit();
                                   if (command) co_return co_await command->wait();
                                   co_await stop.wait();
                                   co_return 0;
                                 });
}

}  // namespace

int main(int argc, char** argv) try {
  const auto options = parse_options(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!options) return 0;
  Loop loop;
  return loop.run(serve(loop, *options));
} catch (const Error& error) {
  fmt::print(stderr, "web_server: {}\n", error.what());
  return static_cast<int>(error.status());
}
