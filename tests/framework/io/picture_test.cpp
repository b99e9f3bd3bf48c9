#include "framework/io/picture.h"

#include <gtest/gtest.h>

#include <string>

#include "framework/io/atomic_file.h"
#include "tests/support/errors.h"
#include "tests/support/signals.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

struct Size {
  int width, height;
};

// Reads the size of a PNG, whose IHDR chunk with big-endian width and height follows the signature.
Size png_size(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n") << path;
  EXPECT_EQ(bytes.substr(12, 4), "IHDR") << path;
  const auto number = [&](size_t at) {
    int value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  return {number(16), number(20)};
}

TEST(Picture, DrawsASpectrogramAsPng) {
  const TemporaryFolder folder;
  const std::vector<MelSettings> table = {{},
                                          {.n_mels = 1},
                                          {.n_mels = 1000},
                                          {.fmin = 4000, .fmax = 4100, .htk = true},
                                          {.sample_rate = 200000, .hop_length = 25}};
  for (const MelSettings& settings : table) {
    const LogMel mel = log_mel(synthetic_signal("sweep", settings.sample_rate, 0.5), settings);
    draw_spectrogram(folder / "mel.png", mel, settings, "sweep");
    const Size size = png_size(folder / "mel.png");
    EXPECT_GE(size.width, 1200);
    EXPECT_GE(size.height, 600);
  }
}

TEST(Picture, DrawsSilenceAndASingleFrame) {
  const TemporaryFolder folder;
  draw_spectrogram(folder / "silence.png", log_mel(synthetic_signal("silence", 22050, 1), {}), {}, "");
  png_size(folder / "silence.png");
  draw_spectrogram(folder / "frame.png", log_mel(std::vector<float>{0.5}, {}), {}, std::string(500, 'x') + "ü");
  png_size(folder / "frame.png");
}

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
  EXPECT_NE(error_of([&] { draw_spectrogram(folder / "a.png", {}, {}, ""); }), "");
  const std::string message = error_of([&] { draw_confusion_matrix(folder / "no" / "a.png", {"a"}, {{1}}, ""); });
  expect_contains(message, "a.png");
}

}  // namespace
}  // namespace melgrad::test
