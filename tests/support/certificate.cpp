#include "tests/support/certificate.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace gather::test {
namespace {

void run_quietly(std::vector<std::string> argv) {
  std::vector<char*> pointers;
  for (std::string& word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int stream : {0, 1, 2})
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0);
  pid_t pid = -1;
  int status = -1;
  const int error = posix_spawnp(&pid, argv.front().c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0 || waitpid(pid, &status, 0) != pid || status != 0)
    throw std::runtime_error("can't make a certificate: `openssl` is missing or failed");
}

}  // namespace

Certificate make_certificate(const std::filesystem::path& folder) {
  Certificate made{folder / "authority.pem", folder / "chain.pem", folder / "key.pem"};
  const std::string authority_key = folder / "authority_key.pem";
  const std::vector<std::string> request{
      "openssl", "req",   "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
      "-nodes",  "-days", "2"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), request.begin(), request.end());
    run_quietly(std::move(more));
  };
  with({"-subj", "/CN=gather test authority", "-keyout", authority_key, "-out", made.authority});
  with({"-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext",
        "basicConstraints=critical,CA:FALSE", "-CA", made.authority, "-CAkey", authority_key, "-keyout",
        made.key, "-out", made.chain});
  return made;
}

}  // namespace gather::test
