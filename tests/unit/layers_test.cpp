// Holds core/ and cmd/ to the layers of core/README.md: who includes whom, where libraries are at home, what
// a header begins with. Reads the sources as text, so it needs none of them built.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;
using Problems = std::vector<std::string>;

const fs::path root = SOURCE_FOLDER;

// What each layer may include beside itself. A road that is missing here is missing for a reason: `job` never
// meets the loop, and nothing below `report` knows how a run is printed.
const std::map<std::string, Names> may_use = {
    {"base", {}},
    {"each", {"base"}},
    {"job", {"base"}},
    {"async", {"base"}},
    {"testing", {"base", "async"}},
    {"process", {"base", "async"}},
    {"net", {"base", "async"}},
    {"run", {"base", "job", "async", "process", "net"}},
    {"analyse", {"base", "job", "run"}},
    {"report", {"base", "job", "run", "analyse"}},
    {"cmd", {"base", "each", "job", "async", "process", "net", "run", "analyse", "report"}},
};

struct Library {
  std::string name;
  std::regex header;
  Names homes;
};

const std::vector<Library> libraries = {
    {"libuv", std::regex(R"(uv\.h|uv/.*)"), {"async", "process", "testing"}},
    {"libcurl", std::regex(R"(curl/.*)"), {"net"}},
    {"OpenSSL", std::regex(R"(openssl/.*)"), {"net"}},
    {"zlib", std::regex(R"(zlib\.h)"), {"net"}},
    {"libyaml", std::regex(R"(yaml\.h)"), {"job"}},
    {"nlohmann_json", std::regex(R"(nlohmann/.*)"), {"job", "report"}},
    {"CLI11", std::regex(R"(CLI/.*)"), {"cmd"}},
    {"Catch2", std::regex(R"(catch2/.*)"), {}},
    {"iostreams for printing", std::regex(R"(iostream)"), {}},
};

// The headers that begin what is installed: <gather/async.hpp>, <gather/net.hpp>, <gather/testing.hpp>.
const Names umbrellas = {"core/async/async.hpp", "core/net/net.hpp", "core/testing/testing.hpp"};

// What gather::async and gather::testing keep to themselves, for want of a user or for the sake of uv.h.
const Names internal = {"core/async/io/byte_queue.hpp",   "core/async/io/connection.hpp",
                        "core/async/io/file_calls.hpp",   "core/async/io/listener.hpp",
                        "core/async/io/outbox.hpp",       "core/async/loop/handle.hpp",
                        "core/async/loop/pause.hpp",      "core/async/loop/request.hpp",
                        "core/async/thread/blocking.hpp", "core/testing/test_poller.hpp"};

struct SourceFile {
  std::string name;   // core/run/states.hpp
  std::string layer;  // run; of the program's own files, cmd
  std::string text;

  bool is_header() const { return name.ends_with(".hpp"); }

  // Of every #include line, what stands between the quotes or the angle brackets.
  std::vector<std::string> includes() const {
    static const std::regex line(R"(^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">])", std::regex::multiline);
    std::vector<std::string> names;
    for (std::sregex_iterator found(text.begin(), text.end(), line), end; found != end; ++found)
      names.push_back((*found)[1]);
    return names;
  }
};

std::string contents(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<SourceFile> sources() {
  std::vector<SourceFile> files;
  for (const char* top : {"core", "cmd"})
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const fs::path& file = entry.path();
      if (file.extension() != ".cpp" && file.extension() != ".hpp") continue;
      const fs::path name = file.lexically_relative(root);
      const auto layer = top == std::string("cmd") ? name.begin() : std::next(name.begin());
      files.push_back({name.string(), layer->string(), contents(file)});
    }
  std::ranges::sort(files, {}, &SourceFile::name);
  return files;
}

// The layer that an included file belongs to; empty for what is not ours.
std::string layer_of(const std::string& include) {
  if (include.starts_with("cmd/")) return "cmd";
  if (!include.starts_with("core/")) return "";
  return include.substr(5, include.find('/', 5) - 5);
}

// Of `headers` and all that they include, what is ours.
Names reached_from(const Names& headers) {
  std::map<std::string, SourceFile> by_name;
  for (SourceFile& file : sources()) by_name.emplace(file.name, file);
  Names reached = headers;
  std::vector<std::string> to_read(headers.begin(), headers.end());
  while (!to_read.empty()) {
    const SourceFile file = by_name.at(to_read.back());
    to_read.pop_back();
    for (const std::string& include : file.includes())
      if (!layer_of(include).empty() && reached.insert(include).second) to_read.push_back(include);
  }
  return reached;
}

Names layers_in_table() {
  static const std::regex row(R"(^\| `([a-z]+)` \|)", std::regex::multiline);
  const std::string text = contents(root / "core/README.md");
  Names names;
  for (std::sregex_iterator found(text.begin(), text.end(), row), end; found != end; ++found)
    names.insert((*found)[1]);
  return names;
}

}  // namespace

TEST_CASE(
    "the layers are the folders of core that hold sources, cmd, and the rows of the table in core/README.md",
    "[layers]") {
  Names folders{"cmd"};
  for (const SourceFile& file : sources()) folders.insert(file.layer);
  Names known;
  for (const auto& [layer, uses] : may_use) known.insert(layer);
  CHECK(folders == known);
  CHECK(layers_in_table() == known);
}

TEST_CASE("a layer includes what is below it and nothing else of ours", "[layers]") {
  Problems problems;
  std::size_t includes_of_ours = 0;
  for (const SourceFile& file : sources())
    for (const std::string& include : file.includes()) {
      const std::string layer = layer_of(include);
      const bool is_test = include.starts_with("tests/") || include.starts_with("samples/");
      if (!layer.empty()) ++includes_of_ours;
      if (is_test || (!layer.empty() && layer != file.layer && !may_use.at(file.layer).contains(layer)))
        problems.push_back(file.name + " includes " + include);
    }
  CHECK(problems == Problems{});
  CHECK(includes_of_ours > 300);  // Or the lines are no longer found.
}

TEST_CASE("the layers stand in an order: none uses what stands above it", "[layers]") {
  Names placed;
  const auto rests_on_placed = [&](const auto& layer) {
    return !placed.contains(layer.first) && std::ranges::includes(placed, layer.second);
  };
  for (auto next = may_use.end(); (next = std::ranges::find_if(may_use, rests_on_placed)) != may_use.end();)
    placed.insert(next->first);
  CHECK(placed.size() == may_use.size());
}

TEST_CASE("libraries stay at home", "[layers]") {
  Problems problems;
  std::map<std::string, Names> met;
  for (const SourceFile& file : sources())
    for (const std::string& include : file.includes())
      for (const Library& library : libraries) {
        if (!std::regex_match(include, library.header)) continue;
        met[library.name].insert(file.layer);
        if (!library.homes.contains(file.layer))
          problems.push_back(file.name + " includes " + include + " of " + library.name);
      }
  CHECK(problems == Problems{});
  for (const Library& library : libraries) CHECK(met[library.name] == library.homes);
}

TEST_CASE("a header says once what it is for, and is read once", "[layers]") {
  static const std::regex sentence(R"(^/// \S[^]*?[.:?])");
  Problems problems;
  for (const SourceFile& file : sources()) {
    if (!file.is_header()) continue;
    const std::size_t comment_end = file.text.find("\n#");
    const std::string comment = file.text.substr(0, comment_end);
    if (!std::regex_search(comment, sentence)) problems.push_back(file.name + " begins without a sentence");
    if (!file.text.substr(comment_end + 1).starts_with("#pragma once\n"))
      problems.push_back(file.name + " lacks #pragma once after its first comment");
  }
  CHECK(problems == Problems{});
}

TEST_CASE("a source file includes its own header first, so that it compiles on its own", "[layers]") {
  Problems problems;
  for (const SourceFile& file : sources()) {
    if (file.is_header()) continue;
    const std::string header = fs::path(file.name).replace_extension(".hpp").string();
    if (fs::exists(root / header) && file.includes().front() != header)
      problems.push_back(file.name + " begins with " + file.includes().front());
  }
  CHECK(problems == Problems{});
}

TEST_CASE("a header of async or testing is there for users of the library, or known as internal",
          "[layers]") {
  Names kept_back;
  for (const SourceFile& file : sources())
    if (file.is_header() && (file.layer == "async" || file.layer == "testing")) kept_back.insert(file.name);
  for (const std::string& header : reached_from(umbrellas)) kept_back.erase(header);
  CHECK(kept_back == internal);
}

TEST_CASE("the library's headers need no other library", "[layers]") {
  Problems problems;
  const Names reached = reached_from(umbrellas);
  for (const SourceFile& file : sources()) {
    if (!reached.contains(file.name)) continue;
    for (const std::string& include : file.includes())
      for (const Library& library : libraries)
        if (std::regex_match(include, library.header) || include.starts_with("fmt/"))
          problems.push_back(file.name + " includes " + include);
  }
  CHECK(problems == Problems{});
}

TEST_CASE("every file has a subject: none is called util or common", "[layers]") {
  static const std::regex shelf("utils?|common|misc|helpers?|stuff");
  Problems problems;
  for (const SourceFile& file : sources())
    for (const fs::path& part : fs::path(file.name))
      if (std::regex_match(part.stem().string(), shelf)) problems.push_back(file.name);
  CHECK(problems == Problems{});
}
