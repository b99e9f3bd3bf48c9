#include "framework/terminal/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "framework/terminal/text.h"

namespace melgrad {
namespace {

constexpr double redraw_seconds = 0.1, line_seconds = 10, memory_seconds = 30;
constexpr int default_width = 80, widest_bar = 40, narrowest_bar = 10;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ProgressOutput resolve(ProgressOutput output) {
  if (output.seconds == nullptr) output.seconds = steady_seconds;
  if (output.mode == ProgressMode::automatic) {
    output.mode = isatty(fileno(output.file)) == 1 ? ProgressMode::terminal : ProgressMode::lines;
  }
  return output;
}

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }  // UTF-8

int width_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string_view cut(std::string_view text, int width) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i]) && width-- == 0) return text.substr(0, i);
  }
  return text;
}

std::string three_digits(double rate) {
  return fmt::format("{:.{}f}", rate, rate >= 99.95 ? 0 : rate >= 9.995 ? 1 : 2);
}

}  // namespace

int terminal_columns(std::FILE* file) {
  winsize size{};
  const bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : default_width;
}

Progress::Progress(std::string label, int64_t total, std::string unit, ProgressMode mode)
    : Progress(std::move(label), total, std::move(unit), ProgressOutput{mode}) {}

Progress::Progress(std::string label, int64_t total, std::string unit, ProgressOutput output)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      output_(resolve(output)),
      started_(output_.seconds()),
      drawn_at_(started_) {}

Progress::~Progress() {
  if (drawn_ && !finished_ && output_.mode == ProgressMode::terminal) {
    std::fputc('\n', output_.file);
    std::fflush(output_.file);
  }
}

void Progress::update(int64_t done, std::string_view suffix) {
  done_ = done;
  if (output_.mode == ProgressMode::quiet) return;
  suffix_.assign(suffix);
  const double now = output_.seconds();
  if (due(now)) draw(now, false);
}

void Progress::finish() {
  if (std::exchange(finished_, true) || output_.mode == ProgressMode::quiet) return;
  draw(output_.seconds(), true);
}

bool Progress::due(double now) const {
  if (output_.mode == ProgressMode::terminal) return !drawn_ || now - drawn_at_ >= redraw_seconds;
  const bool new_tenth = total_ > 0 && done_ < total_ && done_ * 10 / total_ > drawn_done_ * 10 / total_;
  return now - drawn_at_ >= line_seconds && (new_tenth || total_ <= 0);
}

void Progress::draw(double now, bool last) {
  const double elapsed = now - drawn_at_, fading = std::exp(-elapsed / memory_seconds);
  recent_done_ = recent_done_ * fading + static_cast<double>(done_ - drawn_done_);
  recent_seconds_ = recent_seconds_ * fading + elapsed;
  drawn_ = true;
  drawn_at_ = now;
  drawn_done_ = done_;
  const bool in_place = output_.mode == ProgressMode::terminal;
  const std::string line = in_place ? fmt::format("\r{}\x1b[K{}", terminal_line(now, last), last ? "\n" : "")
                                    : fmt::format("{}:{}\n", label_, tail(now, last));
  std::fputs(line.c_str(), output_.file);
  std::fflush(output_.file);
}

std::string Progress::tail(double now, bool last) const {
  std::string text = total_ > 0 ? fmt::format(" {}/{} {}", done_, total_, unit_) : fmt::format(" {} {}", done_, unit_);
  const double work = last ? static_cast<double>(done_) : recent_done_;
  const double seconds = last ? now - started_ : recent_seconds_;
  const double rate = seconds > 0 ? work / seconds : 0;
  if (rate > 0) text += fmt::format(", {} {}/s", three_digits(rate), unit_);
  if (last) {
    text += fmt::format(", took {}", clock_time(seconds));
  } else if (rate > 0 && total_ > done_) {
    text += fmt::format(", ETA {}", clock_time(static_cast<double>(total_ - done_) / rate));
  }
  if (!suffix_.empty()) text += ", " + suffix_;
  return text;
}

std::string Progress::terminal_line(double now, bool last) const {
  const std::string text = tail(now, last);
  const int columns = output_.width > 0 ? output_.width : terminal_columns(output_.file);
  const int width = columns - 1;  // a full last column would wrap on some terminals
  const int room = std::min(widest_bar, width - width_of(label_) - width_of(text) - 3);
  std::string bar;
  if (total_ > 0 && room >= narrowest_bar) {
    const auto filled = static_cast<size_t>(std::clamp<int64_t>(done_ * room / total_, 0, room));
    bar = fmt::format(" [{}{}]", std::string(filled, '='), std::string(static_cast<size_t>(room) - filled, ' '));
  }
  return std::string(cut(label_ + bar + text, width));
}

}  // namespace melgrad
