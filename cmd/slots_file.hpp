/// `-j @FILE`: a number of slots that may change while the run goes on.
#pragma once

#include "cmd/engine.hpp"
#include "cmd/options.hpp"
#include "core/report/plain.hpp"

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>

namespace gather::cmd {

/// Reads the file when it has changed.
class SlotsFile {
 public:
  /// The file that `-j @FILE` names; none for another value of -j, or for no flag. `zero` is what 0 means;
  /// without it, 0 is an error.
  static std::optional<SlotsFile> of(const std::optional<Given>& jobs, std::optional<std::size_t> zero = {});

  /// What it says now. Throws Error(usage) if it can't be read or holds no number of slots.
  std::size_t read();

  struct Change {
    std::optional<std::size_t> slots;  ///< Nothing if it says none any more: then the number stays.
    std::string problem = {};
  };
  /// Nothing unless it has been written since the last look.
  std::optional<Change> look();

 private:
  SlotsFile(Given given, std::optional<std::size_t> zero) : given_(std::move(given)), zero_(zero) {}

  bool has_changed();

  Given given_;
  std::optional<std::size_t> zero_;
  struct stat seen_{};
};

/// Gives the run that goes on the slots that the file names, if it has changed; for every tick.
void follow(std::optional<SlotsFile>& file, Engine& engine, report::Plain& plain);

}  // namespace gather::cmd
