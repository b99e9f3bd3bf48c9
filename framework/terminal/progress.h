// A progress line on stderr: label, bar, done/total, rate, time left and a free suffix (loss, accuracy).
//   terminal  one line, redrawn in place at most 10 times a second, cut to the terminal's width
//   lines     whole lines for logs and pipes: at a new tenth of the work, at most one every 10 s, and one at the end
//   quiet     nothing
// Cheap enough to be called every step. For one thread. A stderr that cannot be written to stops nothing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace melgrad {

enum class ProgressMode { automatic, terminal, lines, quiet };  // automatic: terminal where stderr is one, else lines

// Where and how a progress line is drawn. Tests give a file, a width and a clock of their own.
struct ProgressOutput {
  ProgressMode mode = ProgressMode::automatic;
  std::FILE* file = stderr;
  int width = 0;                  // columns; 0: ask the terminal
  double (*seconds)() = nullptr;  // a clock that never goes back; nullptr: the system's
};

// The width of the terminal that `file` writes to; 80 if it writes to none.
int terminal_columns(std::FILE* file);

class Progress {
 public:
  // `total` counts `unit`s ("tracks", "steps"); 0 when it is not known: no bar, no time left.
  Progress(std::string label, int64_t total, std::string unit, ProgressMode mode = ProgressMode::automatic);
  Progress(std::string label, int64_t total, std::string unit, ProgressOutput output);
  ~Progress();  // leaves the cursor on a fresh line when the work was abandoned
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done, std::string_view suffix = {});
  void finish();  // draws the last state with the time taken; a second call does nothing

 private:
  bool due(double now) const;
  void draw(double now, bool last);
  std::string tail(double now, bool last) const;
  std::string terminal_line(double now, bool last) const;

  std::string label_, unit_, suffix_;
  int64_t total_, done_ = 0;
  ProgressOutput output_;
  bool drawn_ = false, finished_ = false;
  double started_, drawn_at_;
  int64_t drawn_done_ = 0;
  // Work and time, weighted by exp(-age / 30 s): their quotient is a rate that follows a change of pace.
  double recent_done_ = 0, recent_seconds_ = 0;
};

}  // namespace melgrad
