#include "kernels/device/cudnn/plan_file.cuh"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/kernels/device/cudnn/notes.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

using kernel::cudnn::EngineChoice;
using kernel::cudnn::PlanFile;

const EngineChoice one{.engine = 1, .knobs = {{2, 7}, {4, 0}}}, two{.engine = 2, .knobs = {}};

// A path in a folder that does not exist yet.
class PlanFileTest : public testing::Test {
 protected:
  fs::path path() const { return folder_ / "cache" / "cudnn_plans.json"; }
  std::string content() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& content) const { write_text(path(), content); }

 private:
  TemporaryFolder folder_;
};

TEST_F(PlanFileTest, KeepsChoicesForTheNextProcess) {
  const std::string notes = notes_of([&] {
    PlanFile(path()).put("a", one);
    PlanFile(path()).put("b", two);
    const PlanFile file(path());
    EXPECT_EQ(file.find("a"), one);
    EXPECT_EQ(file.find("b"), two);
    EXPECT_EQ(file.find("c"), std::nullopt);
  });
  EXPECT_EQ(notes, "");
  EXPECT_EQ(std::distance(fs::directory_iterator(path().parent_path()), {}), 1) << "a temporary file remains";
}

TEST_F(PlanFileTest, KeepsPlansThatAnotherProcessAdds) {
  PlanFile mine(path()), other(path());
  other.put("b", two);
  mine.put("a", one);
  EXPECT_EQ(PlanFile(path()).find("b"), two);
}

TEST_F(PlanFileTest, IgnoresAndReplacesAnInvalidFile) {
  PlanFile(path()).put("a", one);
  const std::string good = content();
  const auto with = [&](std::string_view what, std::string_view instead) {
    std::string changed = good;
    return changed.replace(changed.find(what), what.size(), instead);
  };
  for (const std::string& bad :
       {std::string(), good.substr(0, good.size() / 2), std::string("\0\xff\x80", 3), std::string("[]"),
        std::string("{}"), with("\"version\": 2", "\"version\": 1"), with("melgrad cuDNN plans", "somebody else's"),
        with("\"engine\": 1", "\"engine\": 3"), with("\"engine\": 1", "\"engine\": \"1\""),
        with("\"engine\"", "\"motor\""), with("\"knobs\"", "\"k\"")}) {
    SCOPED_TRACE(bad);
    write(bad);
    const std::string notes = notes_of([&] {
      PlanFile file(path());
      EXPECT_EQ(file.find("a"), std::nullopt);
    });
    EXPECT_NE(notes.find("is not used and will be replaced"), std::string::npos) << notes;
    EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 1) << notes;
    notes_of([&] { PlanFile(path()).put("a", one); });
    EXPECT_EQ(content(), good);
  }
}

TEST_F(PlanFileTest, WarnsOnceThatItCannotBeWritten) {
  write("");
  const std::string notes = notes_of([&] {
    PlanFile file(path() / "below a file");
    file.put("a", one);
    file.put("b", two);
    EXPECT_EQ(file.find("a"), one);
    EXPECT_EQ(file.find("b"), two);
  });
  EXPECT_NE(notes.find("convolution plans are not saved"), std::string::npos) << notes;
  EXPECT_EQ(std::count(notes.begin(), notes.end(), '\n'), 1) << notes;
}

TEST(PlanFile, KeepsPlansInMemoryWithoutAPath) {
  PlanFile file("");
  file.put("a", one);
  EXPECT_EQ(file.find("a"), one);
}

TEST(PlanKey, DistinguishesAllThatAPlanDependsOn) {
  using kernel::ConvolutionPass;
  using kernel::cudnn::plan_key;
  const kernel::Conv2d conv{1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::string key = plan_key("chip", 90800, {ConvolutionPass::forward, DType::float32, conv});
  EXPECT_NE(key, plan_key("chop", 90800, {ConvolutionPass::forward, DType::float32, conv}));
  EXPECT_NE(key, plan_key("chip", 90801, {ConvolutionPass::forward, DType::float32, conv}));
  EXPECT_NE(key, plan_key("chip", 90800, {ConvolutionPass::backward_data, DType::float32, conv}));
  EXPECT_NE(key, plan_key("chip", 90800, {ConvolutionPass::forward, DType::bfloat16, conv}));
  for (int64_t kernel::Conv2d::*member :
       {&kernel::Conv2d::batch, &kernel::Conv2d::height, &kernel::Conv2d::width, &kernel::Conv2d::in_channels,
        &kernel::Conv2d::out_channels, &kernel::Conv2d::kernel_height, &kernel::Conv2d::kernel_width,
        &kernel::Conv2d::stride, &kernel::Conv2d::padding}) {
    kernel::Conv2d other = conv;
    ++(other.*member);
    EXPECT_NE(key, plan_key("chip", 90800, {ConvolutionPass::forward, DType::float32, other}));
  }
}

}  // namespace
}  // namespace melgrad::test
