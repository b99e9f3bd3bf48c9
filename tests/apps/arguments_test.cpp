#include "apps/arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace melgrad::test {
namespace {

TEST(DidYouMean, FindsTheNearestName) {
  const std::vector<std::string> names{"--epochs", "--batch-size", "--learning-rate", "--n-mels"};
  EXPECT_EQ(did_you_mean("--epohcs", names), " (did you mean --epochs?)");
  EXPECT_EQ(did_you_mean("--batch_size", names), " (did you mean --batch-size?)");
  EXPECT_EQ(did_you_mean("--learn", names), " (did you mean --learning-rate?)");
  EXPECT_EQ(did_you_mean("--colour", names), "");
  EXPECT_EQ(did_you_mean(std::string(100'000, 'x'), names), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace melgrad::test
