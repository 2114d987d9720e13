/// Files and directories, without holding the loop up.
#include <gather/async.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

using namespace gather::async;

Co<> use(std::filesystem::path folder) {
  co_await write_file(folder / "greeting.txt", "hello\nworld\n");

  File file = co_await open_file(folder / "greeting.txt", "r");
  co_await for_each(file.lines(), [](const std::string& line) { std::printf("line: %s\n", line.c_str()); });
  co_await file.close();

  co_await fs::copy_file(folder / "greeting.txt", folder / "copy.txt");
  for (const std::string& name : co_await fs::listdir(folder)) std::printf("there is %s\n", name.c_str());
}

Co<> files() {
  fs::TemporaryDirectory folder = co_await fs::temporary_directory();
  co_await use(folder.path());
  co_await folder.remove();
}

int main() { run(files()); }
