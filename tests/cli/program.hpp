/// Drives the built program as a user would: files in, arguments, and what comes out. Uses none of gather's
/// code.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gather::test {

/// How a program ended and what it wrote.
struct Ending {
  int status = -1;  ///< Its exit status as a shell has it: 128 + n after signal n.
  bool signalled = false;
  std::string out;
  std::string err;
};

/// A folder that goes with the object.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;
  bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }

 private:
  std::filesystem::path path_;
};

/// For a program whose memory is measured: has the address sanitizer, where it is in, give back at once what
/// is freed. Otherwise it means nothing.
inline const std::map<std::string, std::string> frees_at_once{
    {"ASAN_OPTIONS", "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"}};

/// One program that was started, in a session of its own; killed with it if it has not ended when this dies.
class Program {
 public:
  struct Start {
    std::vector<std::string> argv;
    std::filesystem::path folder;
    std::map<std::string, std::string> environment;  ///< Added to ours, from which every GATHER_ is removed.
    std::string input;
  };

  explicit Program(const Start& start);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// The most memory that it has had resident so far, in KiB; 0 once it has ended.
  std::size_t peak_memory_kb() const;
  /// Reads until standard error (or output) holds `text`. Fails the test after `deadline`.
  void wait_for_err(const std::string& text);
  void wait_for_out(const std::string& text);
  /// Reads to the end and waits. Fails the test after `deadline`.
  Ending end();

  static constexpr std::chrono::seconds deadline{30};

 private:
  bool read_some(std::chrono::steady_clock::time_point until);

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  Ending ending_;
};

/// `gather` with these arguments, in a folder with these files.
class Gather {
 public:
  Gather& file(const std::string& name, const std::string& text);
  Gather& variable(const std::string& name, const std::string& value);
  Gather& input(const std::string& text);

  Program start(std::vector<std::string> arguments) const;
  Ending run(std::vector<std::string> arguments) const { return start(std::move(arguments)).end(); }

  const Folder& folder() const { return folder_; }

 private:
  Folder folder_;
  std::map<std::string, std::string> environment_;
  std::string input_;
};

/// What runs now with `word` among its arguments: lines of "pid command". For proofs that nothing was left
/// behind; give a word that nobody else uses.
std::vector<std::string> processes_with(const std::string& word);

/// A word that no other test, run or machine uses.
std::string unique_word();

/// Lets others run for a few milliseconds; for eventually().
void look_again_soon();

/// Waits until `condition()` holds, looking again every few milliseconds; false after `deadline`.
template <class Condition>
bool eventually(Condition condition);

}  // namespace gather::test

template <class Condition>
bool gather::test::eventually(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + Program::deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    look_again_soon();
  }
  return true;
}
