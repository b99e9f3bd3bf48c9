#include "framework/training/event_log.h"

#include "framework/io/append_file.h"
#include "framework/io/picture.h"
#include "framework/io/wall_time.h"
#include "tests/support/event_file.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

namespace fs = std::filesystem;

EpochReport report_of(int64_t epoch, double loss) {
  EpochReport report{.epoch = epoch, .train_loss = loss, .train_accuracy = 0.25, .items_name = "tracks"};
  report.validation = {.loss = loss + 1, .accuracy = 0.5, .accuracy_name = "track_accuracy"};
  report.learning_rate = 1e-3;
  report.seconds = 2.5;
  report.gradient_norm = INFINITY;  // of a step that was skipped
  return report;
}

std::vector<int64_t> steps_of(const std::vector<ReadEvent>& events) {
  std::vector<int64_t> steps;
  for (const ReadEvent& event : events) {
    if (!event.scalars.empty()) steps.push_back(event.step);
  }
  return steps;
}

TEST(EventLog, HoldsTheNumbersOfTheLog) {
  const TemporaryFolder run;
  RunLog log(run / "log.jsonl", 0);
  EventLog events(run.path(), log, {{"model", "cnn"}, {"epochs", 3.0}, {"deterministic", true}});
  const double before = wall_time();
  log.append(report_of(1, 0.75));
  events.append_epoch(log.lines().back());
  const std::string png = confusion_matrix_png({"a", "b"}, {{1, 0}, {0, 2}}, "x");
  events.append_picture(1, "confusion", png);
  events.end(1);

  ASSERT_EQ(event_files_in(run.path()).size(), 1u);
  const std::vector<ReadEvent> read = read_event_file(event_files_in(run.path())[0]);
  ASSERT_EQ(read.size(), 6u);
  EXPECT_EQ(read[0].version, "brain.Event:2");
  EXPECT_TRUE(read[1].starts_session);
  EXPECT_EQ(read[2].hparams, (std::vector<std::string>{"_hparams_/session_start_info"}));
  EXPECT_EQ(read[3].step, 1);
  EXPECT_GE(read[3].time, before);
  EXPECT_LE(read[3].time, wall_time());
  EXPECT_EQ(read[3].scalars, (std::map<std::string, float>{{"loss/train", 0.75f},
                                                           {"accuracy/train", 0.25f},
                                                           {"loss/validation", 1.75f},
                                                           {"accuracy/validation", 0.5f},
                                                           {"learning_rate", 1e-3f},
                                                           {"epoch_seconds", 2.5f},
                                                           {"tracks_per_second", 0.0f}}));
  EXPECT_EQ(read[4].pictures, (std::map<std::string, std::string>{{"confusion", png}}));
  EXPECT_EQ(read[5].hparams, (std::vector<std::string>{"_hparams_/session_end_info"}));
}

// The killed run has logged two epochs of which its checkpoint has one, and a part of a third record.
TEST(EventLog, IsWrittenAgainFromTheLogOfAResumedRun) {
  const TemporaryFolder run;
  {
    RunLog log(run / "log.jsonl", 0);
    EventLog events(run.path(), log, {});
    for (const int64_t epoch : {1, 2}) {
      log.append(report_of(epoch, 5));
      events.append_epoch(log.lines().back());
    }
    append_to_file(event_files_in(run.path())[0], "\x20\0\0");
  }
  const fs::path old_file = event_files_in(run.path())[0];
  RunLog log(run / "log.jsonl", 1);
  EventLog events(run.path(), log, {});
  ASSERT_EQ(event_files_in(run.path()).size(), 1u);
  const fs::path new_file = event_files_in(run.path())[0];
  EXPECT_GT(new_file.string(), old_file.string());
  const double time_of_first = log.lines()[0].at("time");
  log.append(report_of(2, 4));
  events.append_epoch(log.lines().back());
  const std::vector<ReadEvent> read = read_event_file(new_file);
  EXPECT_EQ(steps_of(read), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(read[3].time, time_of_first);
  EXPECT_EQ(read[4].scalars.at("loss/train"), 4.0f);
}

}  // namespace
}  // namespace melgrad::test
