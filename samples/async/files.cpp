/// Files and directories without holding the loop up.
#include <gather/async.hpp>

#include <cstdio>
#include <string>

using namespace gather::async;

Co<> files() {
  const std::string folder = co_await make_temporary_directory();
  const std::string path = folder + "/greeting.txt";

  co_await write_file(path, "hello\nworld\n");
  File file = co_await open_file(path, "r");
  while (const auto line = co_await file.readline()) std::printf("line: %s", line->c_str());
  co_await file.close();

  for (const std::string& name : co_await listdir(folder)) std::printf("there is %s\n", name.c_str());
  co_await remove(path);
  co_await rmdir(folder);
}

int main() { run(files()); }
