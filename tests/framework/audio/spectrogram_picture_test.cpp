#include "framework/audio/spectrogram_picture.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/errors.h"
#include "tests/support/png_size.h"
#include "tests/support/signals.h"
#include "tests/support/temporary_folder.h"

namespace melgrad::test {
namespace {

TEST(SpectrogramPicture, IsAPng) {
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

TEST(SpectrogramPicture, OfSilenceAndOfOneFrameCanBeDrawn) {
  const TemporaryFolder folder;
  draw_spectrogram(folder / "silence.png", log_mel(synthetic_signal("silence", 22050, 1), {}), {}, "");
  png_size(folder / "silence.png");
  draw_spectrogram(folder / "frame.png", log_mel(std::vector<float>{0.5}, {}), {}, std::string(500, 'x') + "ü");
  png_size(folder / "frame.png");
}

TEST(SpectrogramPicture, RefusesAnEmptySpectrogram) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of([&] { draw_spectrogram(folder / "a.png", {}, {}, ""); }), "");
}

}  // namespace
}  // namespace melgrad::test
