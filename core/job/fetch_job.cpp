#include "core/job/fetch_job.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <unordered_map>

namespace gather::job {
namespace {

constexpr std::size_t longest_name = 255;  // NAME_MAX of every file system that matters, in bytes.
constexpr int retries = 3;

bool has_control_bytes(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Which entry has each file. Paths are in normal form, and outlive this.
class Files {
 public:
  explicit Files(const std::vector<UrlEntry>& entries) : entries_(entries) {
    owners_.reserve(entries.size());
  }

  /// A sentence if another entry has this file.
  std::optional<std::string> claim(std::string_view path, std::size_t entry) {
    const auto [at, is_new] = owners_.try_emplace(path, entry);
    if (is_new) return std::nullopt;
    return fmt::format(
        "this is saved as {}, and so is {}; give one of them another name (-o, or the second "
        "field of a list's line)",
        in_quotes(path), entries_[at->second].place.spell());
  }

  /// A sentence if a file of another entry would have to be a folder of this one, or is written under this
  /// name until it is whole. When all have claimed.
  std::optional<std::string> blocked(std::string_view path) const {
    if (const auto whole = written_for(path))
      if (const auto at = owners_.find(*whole); at != owners_.end())
        return fmt::format("this is saved as {}, where the file of {} is written until it is whole",
                           in_quotes(path), entries_[at->second].place.spell());
    for (std::size_t end = path.rfind('/'); end != std::string_view::npos && end != 0;
         end = path.rfind('/', end - 1))
      if (const auto at = owners_.find(path.substr(0, end)); at != owners_.end())
        return fmt::format("this is saved as {}, below the file of {}", in_quotes(path),
                           entries_[at->second].place.spell());
    return std::nullopt;
  }

 private:
  const std::vector<UrlEntry>& entries_;
  std::unordered_map<std::string_view, std::size_t> owners_;
};

std::expected<std::string, std::string> file_for(const UrlEntry& entry) {
  if (entry.output) return path_below(*entry.output);
  auto name = name_after(entry.url);
  if (name) return name;
  return std::unexpected(
      fmt::format("{}; name the file with -o, or in the second field of a list's line", name.error()));
}

}  // namespace

std::expected<std::string, std::string> name_after(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  const std::size_t slash = url.rfind('/');
  std::string name = slash == std::string_view::npos ? "" : percent_decoded(url.substr(slash + 1));
  if (name.empty()) return std::unexpected("this URL ends in no name for a file");
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(
        fmt::format("its last part, {}, is no good name for a file: {}", in_quotes(name), why));
  };
  if (name == "." || name == "..") return refuse("it is a folder");
  if (name.contains('/')) return refuse("it holds a slash");
  if (has_control_bytes(name)) return refuse("it holds control characters");
  if (name.starts_with('.')) return refuse("it begins with a dot");
  if (name.size() > longest_name) return refuse(fmt::format("it is longer than {} bytes", longest_name));
  return name;
}

std::expected<std::string, std::string> path_below(std::string_view output) {
  const auto refuse = [&](std::string_view why) {
    return std::unexpected(fmt::format("the output {} {}", in_quotes(output), why));
  };
  if (has_control_bytes(output)) return refuse("holds control characters");
  const std::filesystem::path path = std::filesystem::path(output).lexically_normal();
  const std::string& text = path.native();
  if (path.is_absolute() || text == ".." || text.starts_with("../"))
    return refuse("is outside the folder that files go to; -d names another folder");
  if (text.empty() || text.ends_with('/') || text == "." || text.ends_with("/.."))
    return refuse("names no file");
  if (text == "-") return refuse("is no name for a file; `-o -` on the command line writes bodies to stdout");
  for (const std::filesystem::path& part : path)
    if (part.native().size() > longest_name)
      return refuse(fmt::format("has a part of more than {} bytes", longest_name));
  return text;
}

std::optional<std::string_view> written_for(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view ending : {".part", ".part.meta"})
    if (name.ends_with(ending) && name.size() > ending.size())
      return path.substr(0, path.size() - ending.size());
  return std::nullopt;
}

FetchJob fetch_job(const std::vector<UrlEntry>& entries, const Fetch& pattern, Bodies bodies) {
  FetchJob result;
  result.job.name = "fetch";
  Files files(entries);
  RetryPolicy policy;
  policy.attempts = retries + 1;
  const auto retry = std::make_shared<const RetryPolicy>(policy);
  const auto problem = [&](const UrlEntry& entry, std::string_view text) {
    result.problems.push_back(fmt::format("{}: {}", entry.place.spell(), text));
  };
  Shared<Saving> named = pattern.saving;
  if (bodies == Bodies::named) named.edit().named_in = ".";
  result.job.tasks.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const UrlEntry& entry = entries[i];
    auto made = std::make_unique<Fetch>(pattern);
    Fetch& fetch = *made;
    fetch.url = entry.url;
    fetch.mirrors = entry.mirrors;
    if (entry.sha256) fetch.checksum = Checksum{"sha256", *entry.sha256};
    if (bodies == Bodies::named && !entry.output) {
      fetch.saving = named;
    } else if (bodies != Bodies::output) {
      auto path = file_for(entry);
      if (!path) {
        problem(entry, path.error());
        continue;
      }
      fetch.output = std::move(*path);
      if (const auto taken = files.claim(*fetch.output, i)) problem(entry, *taken);
    } else if (entry.output) {
      problem(entry, "this names an output, but `-o -` writes every body to standard output");
    }
    Task& task = result.job.tasks.emplace_back();
    task.id = entry.url;
    task.retry = retry;
    task.action = std::unique_ptr<const Fetch>(std::move(made));
  }
  if (!result.problems.empty()) return result;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& fetch = *std::get<std::unique_ptr<const Fetch>>(result.job.tasks[i].action);
    if (!fetch.output) continue;
    if (const auto blocked = files.blocked(*fetch.output)) problem(entries[i], *blocked);
  }
  return result;
}

}  // namespace gather::job
