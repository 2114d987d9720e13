#include "cmd/slots_file.hpp"

#include "cmd/settings.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>

namespace gather::cmd {

std::optional<SlotsFile> SlotsFile::of(const std::optional<Given>& jobs, std::optional<std::size_t> zero) {
  if (!jobs || !jobs->value.starts_with('@')) return std::nullopt;
  return SlotsFile({jobs->value.substr(1), jobs->origin}, zero);
}

std::size_t SlotsFile::read() {
  has_changed();  // From now on, later changes are.
  const auto refuse = [&](std::string_view what) {
    throw Error(ExitStatus::usage, fmt::format("{}: {}: {}", given_.origin, in_quotes(given_.value), what));
  };
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(given_.value.c_str(), "re"), &std::fclose);
  if (!file) refuse(system_error_text(errno));
  std::array<char, 64> buffer;
  std::string_view text(buffer.data(), std::fread(buffer.data(), 1, buffer.size(), file.get()));
  if (std::ferror(file.get()) != 0) refuse(system_error_text(errno));
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) refuse("it is empty, and should hold a number of slots");
  text = text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  if (text == "0" && zero_) return *zero_;
  if (text.starts_with('@')) refuse("it names another file, and should hold a number of slots");
  return slots({std::string(text), fmt::format("{}: {}", given_.origin, in_quotes(given_.value))});
}

std::optional<SlotsFile::Change> SlotsFile::look() {
  if (!has_changed()) return std::nullopt;
  try {
    return Change{read()};
  } catch (const Error& error) {
    return Change{std::nullopt, error.what()};
  }
}

bool SlotsFile::has_changed() {
  struct stat now{};
  if (stat(given_.value.c_str(), &now) != 0) now = {};
  const bool same = now.st_ino == seen_.st_ino && now.st_dev == seen_.st_dev &&
                    now.st_size == seen_.st_size && now.st_mtim.tv_sec == seen_.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == seen_.st_mtim.tv_nsec;
  seen_ = now;
  return !same;
}

void follow(std::optional<SlotsFile>& file, Engine& engine, report::Plain& plain) {
  if (!file) return;
  const auto change = file->look();
  if (!change) return;
  if (change->slots)
    engine.set_slots(*change->slots);
  else
    plain.note(change->problem + "; the number of slots stays as it is");
}

}  // namespace gather::cmd
