/// The program on one page: read the command line, do what it says, end with a status that scripts can trust.
#include "cmd/commands.hpp"
#include "cmd/engine.hpp"
#include "cmd/options.hpp"
#include "cmd/process_setup.hpp"
#include "core/process/launcher/launcher.hpp"

#include <cstdio>
#include <exception>
#include <variant>

using namespace gather;

int main(int argc, char** argv) {
  if (const auto status = process::run_as_launcher(argc, argv)) return *status;
  try {
    cmd::set_up_process();
    const cmd::Command command = cmd::parse_command_line(argc, argv);
    const ExitStatus status = std::visit([](const auto& each) { return cmd::execute(each); }, command);
    cmd::end(status);
  } catch (const Error& error) {
    cmd::explain(error);
    cmd::end(error.status());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gather: this is a bug in gather, please report it: %s\n", error.what());
    cmd::end(ExitStatus::bug);
  }
}
