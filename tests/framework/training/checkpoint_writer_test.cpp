#include "framework/training/checkpoint_writer.h"

#include <gtest/gtest.h>

#include <future>

#include "framework/layers.h"
#include "tests/support/errors.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

constexpr double an_hour = 3600;

using Files = Snapshot::Files;

class CheckpointWriterTest : public testing::Test {
 protected:
  // A snapshot that can be recognized by its number.
  Snapshot numbered(int64_t epoch, Files files) const {
    return take_snapshot(model_, optimizer_, {.epoch = epoch}, {{"number", std::to_string(epoch)}}, "samples", 1,
                         files);
  }

  std::string number_in(const char* file) const {
    const fs::path path = folder_ / file;
    return fs::exists(path) ? read_safetensors(path).metadata.at("number") : "";
  }

  void expect_files(const std::string& training, const std::string& last, const std::string& best) const {
    EXPECT_EQ(number_in(training_state_file), training);
    EXPECT_EQ(number_in(last_model_file), last);
    EXPECT_EQ(number_in(best_model_file), best);
  }

  TemporaryFolder folder_;
  Linear model_{2, 3};
  Adam optimizer_{decay_groups(model_.parameters(), 0), {}};
};

TEST_F(CheckpointWriterTest, WritesTheFilesOfEachLevel) {
  CheckpointWriter writer(folder_.path(), 0, [] {});
  writer.write_when_due(numbered(1, Files::best_model));
  writer.flush();
  expect_files("1", "1", "1");
  writer.write_when_due(numbered(2, Files::last_model));
  writer.flush();
  expect_files("2", "2", "1");
  writer.write_when_due(numbered(3, Files::training_state));
  writer.flush();
  expect_files("3", "2", "1");
}

TEST_F(CheckpointWriterTest, WritesOnlyTheNewestOfThoseThatAreNotDue) {
  int writes = 0;
  CheckpointWriter writer(folder_.path(), an_hour, [&writes] { ++writes; });
  for (const int64_t epoch : {1, 2, 3}) writer.write_when_due(numbered(epoch, Files::last_model));
  EXPECT_EQ(number_in(training_state_file), "");
  writer.flush();
  expect_files("3", "3", "");
  EXPECT_EQ(writes, 2);
}

TEST_F(CheckpointWriterTest, DropsNoBestModelForANewerModelThatIsNotBest) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  CheckpointWriter writer(folder_.path(), an_hour, [released] { released.wait(); });
  writer.write_soon(numbered(1, Files::training_state));  // keeps the thread busy until the release
  writer.write_soon(numbered(2, Files::best_model));
  writer.write_soon(numbered(3, Files::last_model));
  writer.write_soon(numbered(4, Files::training_state));
  release.set_value();
  writer.flush();
  expect_files("4", "3", "2");
}

TEST_F(CheckpointWriterTest, ThrowsTheExceptionOfAFailedWriteOnce) {
  CheckpointWriter writer(folder_ / "missing folder", 0, [] {});
  writer.write_when_due(numbered(1, Files::last_model));
  EXPECT_NE(error_of([&] { writer.flush(); }).find("missing folder/training.safetensors"), std::string::npos);
  EXPECT_EQ(error_of([&] { writer.flush(); }), "");
}

TEST_F(CheckpointWriterTest, IsDueOnlyWhenNothingWasWrittenForTheInterval) {
  const CheckpointWriter every_epoch(folder_.path(), 0, [] {}), hourly(folder_.path(), an_hour, [] {}),
      always(folder_.path(), 1e-9, [] {});
  EXPECT_FALSE(every_epoch.due());
  EXPECT_FALSE(hourly.due());
  EXPECT_TRUE(always.due());
}

}  // namespace
}  // namespace melgrad::test
