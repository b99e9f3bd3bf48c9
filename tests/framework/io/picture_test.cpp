#include "framework/io/picture.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/errors.h"
#include "tests/support/png_size.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST(Picture, BarChartGrowsWithItsLabels) {
  const TemporaryFolder folder;
  draw_bar_chart(folder / "two.png", {"blues", "rock"}, {10, 0}, "10 tracks");
  draw_bar_chart(folder / "many.png", std::vector<std::string>(50, std::string(200, 'w')),
                 std::vector<int64_t>(50, 1'000'000), "");
  EXPECT_LT(png_size(folder / "two.png").height, png_size(folder / "many.png").height);
}

TEST(Picture, ConfusionMatrixGrowsWithItsClasses) {
  const TemporaryFolder folder;
  int height = 0;
  for (const size_t classes : {1, 4, 10, 60}) {
    const std::vector<std::string> labels(classes, "a long label, longer than its column is wide");
    const std::vector<std::vector<int64_t>> counts(classes, std::vector<int64_t>(classes, 1234567));
    draw_confusion_matrix(folder / "matrix.png", labels, counts, "title");
    EXPECT_GT(png_size(folder / "matrix.png").height, height);
    height = png_size(folder / "matrix.png").height;
  }
}

TEST(Picture, ConfusionMatrixOfManyClassesStaysSmall) {
  const TemporaryFolder folder;
  constexpr size_t classes = 1000;
  draw_confusion_matrix(folder / "matrix.png", std::vector<std::string>(classes, "label"),
                        std::vector(classes, std::vector<int64_t>(classes, 1)), "title");
  EXPECT_LT(png_size(folder / "matrix.png").height, 6000);
}

TEST(Picture, RefusesWrongSizesAndPaths) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of([&] { draw_confusion_matrix(folder / "a.png", {"a", "b"}, {{1, 2}, {3}}, ""); }), "");
  EXPECT_NE(error_of([&] { draw_confusion_matrix(folder / "a.png", {}, {}, ""); }), "");
  const std::string message = error_of([&] { draw_confusion_matrix(folder / "no" / "a.png", {"a"}, {{1}}, ""); });
  expect_contains(message, "a.png");
}

}  // namespace
}  // namespace melgrad::test
