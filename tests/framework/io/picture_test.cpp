#include "framework/io/picture.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/music_folder.h"
#include "tests/support/png_size.h"

namespace melgrad {
namespace {

using test::png_size;

TEST(Picture, OfABarChartGrowsWithItsLabels) {
  const test::TemporaryFolder folder;
  draw_bar_chart(folder / "two.png", {"blues", "rock"}, {10, 0}, "10 tracks");
  draw_bar_chart(folder / "many.png", std::vector<std::string>(50, std::string(200, 'w')),
                 std::vector<int64_t>(50, 1'000'000), "");
  EXPECT_LT(png_size(folder / "two.png").height, png_size(folder / "many.png").height);
}

TEST(Picture, OfAConfusionMatrixGrowsWithItsClasses) {
  const test::TemporaryFolder folder;
  int height = 0;
  for (const size_t classes : {1, 4, 10, 60}) {
    const std::vector<std::string> labels(classes, "a long label indeed, longer than there is room for");
    const std::vector<std::vector<int64_t>> counts(classes, std::vector<int64_t>(classes, 1234567));
    draw_confusion_matrix(folder / "matrix.png", labels, counts, "title");
    EXPECT_GT(png_size(folder / "matrix.png").height, height);
    height = png_size(folder / "matrix.png").height;
  }
}

TEST(Picture, OfAConfusionMatrixOfManyClassesStaysSmall) {
  const test::TemporaryFolder folder;
  constexpr size_t classes = 1000;
  draw_confusion_matrix(folder / "matrix.png", std::vector<std::string>(classes, "label"),
                        std::vector(classes, std::vector<int64_t>(classes, 1)), "title");
  EXPECT_LT(png_size(folder / "matrix.png").height, 6000);
}

TEST(Picture, RefusesWhatDoesNotFitTogether) {
  const test::TemporaryFolder folder;
  EXPECT_NE(test::error_of([&] { draw_confusion_matrix(folder / "a.png", {"a", "b"}, {{1, 2}, {3}}, ""); }), "");
  EXPECT_NE(test::error_of([&] { draw_confusion_matrix(folder / "a.png", {}, {}, ""); }), "");
  const std::string message = test::error_of([&] { draw_confusion_matrix(folder / "no" / "a.png", {"a"}, {{1}}, ""); });
  EXPECT_NE(message.find("a.png"), std::string::npos) << message;
}

}  // namespace
}  // namespace melgrad
