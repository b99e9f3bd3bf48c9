#include "framework/terminal/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

double now = 0;  // the time in seconds that the clock of the progress line returns

// An output stream in memory.
class Screen {
 public:
  Screen() : file_(open_memstream(&text_, &size_)) { now = 0; }
  ~Screen() {
    std::fclose(file_);
    std::free(text_);
  }
  ProgressOutput output(ProgressMode mode, int width = 80) const {
    return {mode, file_, width, [] { return now; }};
  }
  std::string text() const {
    std::fflush(file_);
    return {text_, size_};
  }
  // The text that a terminal shows: the last drawing of the line.
  std::string shown() const {
    std::string text = this->text();
    if (text.ends_with('\n')) text.pop_back();
    text = text.substr(text.rfind('\r') + 1);
    return text.substr(0, text.find("\x1b[K"));
  }

 private:
  char* text_ = nullptr;
  size_t size_ = 0;
  std::FILE* file_;
};

TEST(Progress, DrawsABarWithRateAndTimeLeft) {
  const Screen screen;
  Progress progress("features", 200, "tracks", screen.output(ProgressMode::terminal));
  now = 5;
  progress.update(50, "loss 1.5");
  EXPECT_EQ(screen.shown(), "features [====               ] 50/200 tracks, 10.0 tracks/s, ETA 0:15, loss 1.5");
  EXPECT_LE(screen.shown().size(), 79u);
  now = 20;
  progress.update(200, "loss 0.5");
  progress.finish();
  EXPECT_EQ(screen.shown(), "features [=================] 200/200 tracks, 10.0 tracks/s, took 0:20, loss 0.5");
  EXPECT_TRUE(screen.text().ends_with('\n'));
  const std::string before = screen.text();
  progress.finish();
  EXPECT_EQ(screen.text(), before);
}

TEST(Progress, RedrawsAtMostTenTimesASecond) {
  const Screen screen;
  Progress progress("steps", 10000, "steps", screen.output(ProgressMode::terminal));
  for (int i = 1; i <= 10000; ++i) {
    now = i * 0.0005;  // 5 seconds
    progress.update(i);
  }
  const std::string text = screen.text();
  const auto draws = std::count(text.begin(), text.end(), '\r');
  EXPECT_GE(draws, 45);
  EXPECT_LE(draws, 51);
}

TEST(Progress, FollowsAChangeOfRate) {
  const Screen screen;
  Progress progress("features", 10000, "tracks", screen.output(ProgressMode::terminal, 120));
  now = 1;
  progress.update(5000);  // as if read from a cache
  for (int i = 1; i <= 300; ++i) {
    now = 1 + i;
    progress.update(5000 + i);  // then one per second
  }
  // The weight of the first second has decayed to exp(-10): (5000 exp(-10) + 30.5) / (exp(-10) + 30.5) = 1.0074.
  expect_contains(screen.shown(), "1.01 tracks/s, ETA 1:17:45");
}

TEST(Progress, FitsTheWidth) {
  for (const int width : {1, 5, 20, 40, 60, 200}) {
    const Screen screen;
    Progress progress("épreuve", 100, "tracks", screen.output(ProgressMode::terminal, width));
    now = 1;
    progress.update(10, "a long suffix of many words");
    const std::string line = screen.shown();
    const auto is_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
    EXPECT_LT(std::count_if(line.begin(), line.end(), is_character), width) << line;
    EXPECT_EQ(line.find('[') != line.npos, width == 200) << line;
  }
}

TEST(Progress, WritesFewLinesToALog) {
  const Screen screen;
  Progress progress("train", 1000, "steps", screen.output(ProgressMode::lines));
  for (int i = 1; i <= 1000; ++i) {
    now = i * 0.1;
    progress.update(i, "loss 2");
  }
  progress.finish();
  const std::string text = screen.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 10);
  EXPECT_EQ(text.substr(0, text.find('\n')), "train: 100/1000 steps, 10.0 steps/s, ETA 1:30, loss 2");
  EXPECT_TRUE(text.ends_with("\ntrain: 1000/1000 steps, 10.0 steps/s, took 1:40, loss 2\n")) << text;
  EXPECT_EQ(text.find('\r'), text.npos);
}

TEST(Progress, WritesOneLineForQuickWork) {
  const Screen screen;
  {
    Progress progress("epoch", 50, "steps", screen.output(ProgressMode::lines));
    for (int i = 1; i <= 50; ++i) {
      now = i * 0.008;
      progress.update(i);
    }
    progress.finish();
  }
  EXPECT_EQ(screen.text(), "epoch: 50/50 steps, 125 steps/s, took 0:00\n");
}

TEST(Progress, CountsWithoutATotal) {
  const Screen screen;
  Progress progress("reading", 0, "bytes", screen.output(ProgressMode::terminal));
  now = 2;
  progress.update(700);
  EXPECT_EQ(screen.shown(), "reading 700 bytes, 350 bytes/s");
}

TEST(Progress, IsSilentWhenQuiet) {
  const Screen screen;
  {
    Progress progress("train", 10, "steps", screen.output(ProgressMode::quiet));
    now = 100;
    progress.update(5);
    progress.finish();
  }
  EXPECT_EQ(screen.text(), "");
}

TEST(Progress, EndsTheLineWhenAbandoned) {
  const Screen screen;
  {
    Progress progress("train", 10, "steps", screen.output(ProgressMode::terminal));
    progress.update(5);
  }
  EXPECT_TRUE(screen.text().ends_with('\n'));
}

TEST(Progress, TreatsAFileAsALog) {
  std::FILE* file = std::tmpfile();
  {
    Progress progress("train", 1, "steps", ProgressOutput{ProgressMode::automatic, file});
    progress.update(1);
    progress.finish();
  }
  std::rewind(file);
  EXPECT_EQ(std::fgetc(file), 't');  // not a carriage return
  std::fclose(file);
}

}  // namespace
}  // namespace melgrad::test
