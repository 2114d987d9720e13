#include "core/job/document/source.hpp"

#include "core/base/error.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

using namespace gather::job;

namespace {

/// A folder for one test.
class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "gather-job-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a file's extension says what it is written in; without one its first character does",
          "[job][source]") {
  const Folder folder;
  CHECK(read_source(folder.file("a.json", "tasks:")).format == Format::json);
  CHECK(read_source(folder.file("a.yaml", "{}")).format == Format::yaml);
  CHECK(read_source(folder.file("a.yml", "{}")).format == Format::yaml);
  CHECK(read_source(folder.file("a", "\xef\xbb\xbf \n{}")).format == Format::json);
  CHECK(read_source(folder.file("b", "[1]")).format == Format::json);
  CHECK(read_source(folder.file("c", "tasks:")).format == Format::yaml);
  CHECK(read_source(folder.file("d", "")).format == Format::yaml);
}

TEST_CASE("a source knows its name, text and folder", "[job][source]") {
  const Folder folder;
  const std::string text(1'000'000, 'x');
  const Source source = read_source(folder.file("a.yaml", text));
  CHECK(source.name == (folder.path() / "a.yaml").string());
  CHECK(source.directory == folder.path());
  CHECK(source.text == text);
}

TEST_CASE("a named pipe is read to its end", "[job][source]") {
  const Folder folder;
  const auto pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::jthread writer([&] { std::ofstream(pipe) << "tasks: {}"; });
  CHECK(read_source(pipe).text == "tasks: {}");
}

TEST_CASE("what can't be a job file is refused with a remedy", "[job][source]") {
  const Folder folder;
  CHECK_THROWS_WITH(read_source("/no/such/job.yaml"),
                    "can't read /no/such/job.yaml: No such file or directory; name a job "
                    "file, or - for standard input");
  CHECK_THROWS_WITH(
      read_source(folder.path()),
      "can't read " + folder.path().string() + ": it is a folder; name a job file, or - for standard input");
  CHECK_THROWS_WITH(read_source("/dev/zero"),
                    "can't read /dev/zero: it is larger than 256 MB; split the job file");
  CHECK_THROWS_WITH(read_source("/no/such/list", "list of URLs"),
                    "can't read /no/such/list: No such file or directory; name a list of URLs, or - for "
                    "standard input");
}
