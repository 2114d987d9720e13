/// The least that small downloads by libcurl can cost: its multi interface on epoll, handles that are kept
/// with their options, and nothing else; no loop, no tasks, no checks, no report. What is above it in `gather
/// fetch` is our own.
///
///     bench_fetch_floor LIST FOLDER    each URL of LIST into a file of FOLDER, by open, write and close
///     bench_fetch_floor LIST           bodies go nowhere
///
/// 64 at once. Exits with 1 at the first failure.
#include <curl/curl.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t at_once = 64;
constexpr long buffer_size = 100 * 1024;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Transfer {
  CURL* easy = nullptr;
  std::string name;
  std::string body;
  bool keeps_body = false;
};

/// libcurl's sockets on epoll. A connection that waits for its next request stays watched, as in core/net.
class Sockets {
 public:
  Sockets() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) give_up("epoll_create1");
  }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  ~Sockets() { close(epoll_); }

  void attach_to(CURLM* multi) {
    multi_ = multi;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  }

  static int on_close(void* self, curl_socket_t descriptor) {
    auto& watched = static_cast<Sockets*>(self)->watched_;
    if (static_cast<std::size_t>(descriptor) < watched.size())
      watched[static_cast<std::size_t>(descriptor)] = 0;
    return close(descriptor);
  }

  /// Tells libcurl of what is due and of what is ready, after waiting for it.
  void step() {
    int running = 0;
    if (timer_ == 0) {
      timer_ = -1;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    std::array<epoll_event, at_once> events;
    // A second at most: libcurl 7.88.1 loses timers (curl#15627).
    const long wait = timer_ < 0 || timer_ > 1000 ? 1000 : timer_;
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait));
    if (count == 0) timer_ = 0;
    for (int i = 0; i < count; ++i) {
      const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
      curl_multi_socket_action(multi_, events[static_cast<std::size_t>(i)].data.fd,
                               ((what & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                                   ((what & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                                   ((what & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0),
                               &running);
    }
  }

 private:
  static int on_timer(CURLM*, long milliseconds, void* self) {
    static_cast<Sockets*>(self)->timer_ = milliseconds;
    return 0;
  }

  static int on_socket(CURL*, curl_socket_t descriptor, int what, void* self, void*) {
    if (what != CURL_POLL_REMOVE) static_cast<Sockets*>(self)->watch(descriptor, what);
    return 0;
  }

  void watch(int descriptor, int what) {
    const auto place = static_cast<std::size_t>(descriptor);
    if (place >= watched_.size()) watched_.resize(place + 1);
    epoll_event event{};
    event.events = ((what & CURL_POLL_IN) != 0 ? std::uint32_t{EPOLLIN} : 0U) |
                   ((what & CURL_POLL_OUT) != 0 ? std::uint32_t{EPOLLOUT} : 0U);
    event.data.fd = descriptor;
    const std::uint32_t before = std::exchange(watched_[place], event.events);
    if (before == event.events) return;
    if (epoll_ctl(epoll_, before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) != 0)
      give_up("epoll_ctl");
  }

  CURLM* multi_ = nullptr;
  int epoll_;
  long timer_ = -1;                     // In milliseconds; -1: none.
  std::vector<std::uint32_t> watched_;  // By descriptor, for what; 0: not at all.
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.keeps_body) transfer.body.append(data, size);
  return size;
}

void set_options(Transfer& transfer, Sockets& sockets) {
  CURL* const easy = transfer.easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "gather/0.1.0");
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, buffer_size);
  curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &Sockets::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &sockets);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
}

void write_file(const Transfer& transfer, const std::string& folder) {
  const std::string path = folder + "/" + transfer.name;
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) give_up("open");
  if (write(descriptor, transfer.body.data(), transfer.body.size()) !=
      static_cast<ssize_t>(transfer.body.size()))
    give_up("write");
  close(descriptor);
}

void fetch_all(const std::vector<std::string>& urls, const std::string& folder) {
  CURLM* const multi = curl_multi_init();
  Sockets sockets;
  sockets.attach_to(multi);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(at_once));
  std::size_t next = 0;
  std::size_t done = 0;
  const auto begin = [&](Transfer& transfer) {
    if (next == urls.size()) return;
    const std::string& url = urls[next++];
    transfer.name = url.substr(url.rfind('/') + 1);
    transfer.body.clear();
    curl_easy_setopt(transfer.easy, CURLOPT_URL, url.c_str());
    curl_multi_add_handle(multi, transfer.easy);
  };

  std::vector<Transfer> transfers(at_once);
  for (Transfer& transfer : transfers) {
    transfer.easy = curl_easy_init();
    transfer.keeps_body = !folder.empty();
    set_options(transfer, sockets);
    begin(transfer);
  }
  while (done < urls.size()) {
    sockets.step();
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      if (message->data.result != CURLE_OK) {
        std::fprintf(stderr, "%s\n", curl_easy_strerror(message->data.result));
        std::exit(1);
      }
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      curl_multi_remove_handle(multi, transfer->easy);
      if (transfer->keeps_body) write_file(*transfer, folder);
      ++done;
      begin(*transfer);
    }
  }
  for (const Transfer& transfer : transfers) curl_easy_cleanup(transfer.easy);
  curl_multi_cleanup(multi);
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    std::fputs("usage: bench_fetch_floor LIST [FOLDER]\n", stderr);
    return 2;
  }
  std::ifstream list(words[1]);
  std::vector<std::string> urls;
  for (std::string line; std::getline(list, line);) urls.push_back(std::move(line));
  curl_global_init(CURL_GLOBAL_ALL);
  fetch_all(urls, count > 2 ? words[2] : "");
}
