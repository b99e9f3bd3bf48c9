// A progress line on stderr: label, bar, done/total, rate, time left and a free suffix (loss, accuracy).
//   terminal  one line, redrawn in place at most 10 times per second, cut to the terminal's width
//   lines     whole lines for logs and pipes: one per tenth of the work, at most one every 10 s, and one at the end
//   quiet     nothing
// update() is cheap enough for every training step. One thread may use an object. Failed writes to stderr are ignored.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace melgrad {

enum class ProgressMode { automatic, terminal, lines, quiet };  // automatic: terminal if stderr is one, otherwise lines

// Tests set file, width and clock.
struct ProgressOutput {
  ProgressMode mode = ProgressMode::automatic;
  std::FILE* file = stderr;
  int width = 0;                  // columns; 0: ask the terminal
  double (*seconds)() = nullptr;  // a monotonic clock; nullptr: the system's
};

// The width of the terminal that `file` writes to; 80 if it writes to none.
int terminal_columns(std::FILE* file);

class Progress {
 public:
  // `total` is the number of `unit`s ("tracks", "steps"). If it is unknown, pass 0: the line has no bar and no time
  // left.
  Progress(std::string label, int64_t total, std::string unit, ProgressMode mode = ProgressMode::automatic);
  Progress(std::string label, int64_t total, std::string unit, ProgressOutput output);
  ~Progress();  // moves the cursor to a new line if finish() was not called
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done, std::string_view suffix = {});
  void finish();  // draws the final state with the time taken; a second call does nothing

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
  // Work and time, weighted by exp(-age / 30 s). Their quotient is the current rate.
  double recent_done_ = 0, recent_seconds_ = 0;
};

}  // namespace melgrad
