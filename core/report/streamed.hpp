/// Tasks' output on its way to the terminal while they run: whole lines, labelled, with colours that end
/// where another's begin.
#pragma once

#include "core/job/model.hpp"
#include "core/report/harmless.hpp"
#include "core/report/labels.hpp"
#include "core/report/line_mixer.hpp"
#include "core/report/terminal.hpp"
#include "core/run/live_output.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gather::report {

class Streamed {
 public:
  struct Options {
    bool all_to_err = false;
    std::function<std::string(job::TaskId)> tag = {};  ///< What every line begins with; nothing for none.
    std::function<void()> before_err = {};  ///< Called before anything is written where our own lines go.
  };

  /// `terminal` outlives this.
  Streamed(Terminal& terminal, Options options);

  /// On a terminal made harmless, elsewhere as it is. Throws as Terminal::out does.
  void add(job::TaskId id, run::Stream stream, std::string_view piece);
  /// The attempt has ended: passes on what is left of its lines. False if it had written nothing.
  bool end(job::TaskId id);

  /// Whole lines of gather's own, to standard error; they don't break into a task's line either.
  void say(std::string_view lines);

 private:
  using Writer = LineMixer::Writer;
  struct Dress {
    Labels labels;
    Harmless harmless;
  };
  struct Place {
    bool is_terminal = false;
    bool beside_ours = false;
    std::optional<Writer> coloured;  // Who wrote last, and perhaps in colours.
  };

  static Writer writer(job::TaskId id, run::Stream stream) {
    return Writer((job::index(id) << 1) | static_cast<std::size_t>(stream));
  }
  bool to_err(Writer writer) const;
  LineMixer& mixer(bool err) { return err || terminal_.shared() ? err_ : out_; }
  Place& place(bool err) { return err || terminal_.shared() ? err_place_ : out_place_; }
  void write(Writer writer, std::string_view text);

  Terminal& terminal_;
  Options options_;
  Place out_place_;
  Place err_place_;  // Of both where they are one.
  LineMixer out_;
  LineMixer err_;
  std::unordered_map<Writer, Dress> dresses_;
};

}  // namespace gather::report
