/// Between a terminal whose reader is slow and the event loop: writes on when the reader has caught up, and
/// holds processes back until then.
#pragma once

#include "core/async/loop/watch.hpp"
#include "core/process/valve.hpp"
#include "core/report/terminal.hpp"

#include <array>

namespace gather::cmd {

class OutputPump {
 public:
  /// Both outlive it.
  OutputPump(async::Loop& loop, report::StandardTerminal& terminal) : loop_(loop), terminal_(terminal) {}
  OutputPump(const OutputPump&) = delete;
  OutputPump& operator=(const OutputPump&) = delete;
  ~OutputPump();

  /// From here to end() the terminal never waits.
  void begin();
  /// Waits until all is written. Throws as StandardTerminal does.
  void end();

  /// Closed while something waits to be written.
  process::Valve& valve() { return valve_; }

 private:
  class Watch final : public async::FdWatch {
   public:
    explicit Watch(OutputPump& pump) noexcept : pump_(pump) {}
    void begin(int descriptor);
    int descriptor() const noexcept { return descriptor_; }

   private:
    void on_events(async::Events) noexcept override { pump_.writable(*this); }
    OutputPump& pump_;
    int descriptor_ = -1;
  };

  void watch(int descriptor);
  void writable(Watch& watch) noexcept;

  async::Loop& loop_;
  report::StandardTerminal& terminal_;
  process::Valve valve_;
  std::array<Watch, 2> watches_{Watch(*this), Watch(*this)};  // Of standard output and of standard error.
};

}  // namespace gather::cmd
