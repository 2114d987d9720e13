/// The least program that can be a launcher.
#include "core/process/launcher/launcher.hpp"

int main(int argc, char** argv) { return gather::process::run_as_launcher(argc, argv).value_or(2); }
