#include "framework/audio/spectrogram_picture.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "framework/audio/mel_filter_bank.h"
#include "framework/io/canvas.h"
#include "framework/io/plot.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

// The mean dB of the mel bins and frames that each pixel covers; row 0 is the highest band.
std::vector<Color> heat_map(const LogMel& mel, int columns, int rows, const std::function<Color(double)>& color) {
  const auto range = [](int64_t count, int index, int pixels) {
    const int64_t first = count * index / pixels;
    return std::pair(first, std::max(first + 1, count * (index + 1) / pixels));
  };
  std::vector<Color> colors;
  for (int row = 0; row < rows; ++row) {
    const auto [first_band, end_band] = range(mel.n_mels, rows - 1 - row, rows);
    for (int column = 0; column < columns; ++column) {
      const auto [first, end] = range(mel.frames, column, columns);
      double sum = 0;
      for (int64_t band = first_band; band < end_band; ++band) {
        const float* frames = mel.db.data() + band * mel.frames;
        sum = std::accumulate(frames + first, frames + end, sum);
      }
      colors.push_back(color(sum / static_cast<double>((end - first) * (end_band - first_band))));
    }
  }
  return colors;
}

void draw_time_axis(Canvas& canvas, const Box& box, double seconds) {
  const double bottom = box.y + box.height;
  for (const double tick : round_ticks(0, seconds, 10)) {
    const double x = box.x + box.width * tick / seconds;
    canvas.draw_line(x, bottom, x, bottom + tick_length);
    canvas.draw_text(tick_label(tick), x, bottom + 13, Align::center);
  }
  canvas.draw_text("seconds", box.x + box.width / 2, bottom + 31, Align::center);
}

// Mel bins are equally high and centred on the peaks of their filters; a tick is drawn at its frequency on the mel
// scale.
void draw_frequency_axis(Canvas& canvas, const Box& box, const MelSettings& settings) {
  const double lowest = hz_to_mel(settings.fmin, settings.htk);
  const double highest = hz_to_mel(settings.highest_frequency(), settings.htk);
  const double lowest_peak = (highest - lowest) / (settings.n_mels + 1);
  const double closest = 15;
  double previous = -1e9;
  for (const double hz : {0, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000}) {
    if (hz < settings.fmin || hz > settings.highest_frequency()) continue;
    const double band = (hz_to_mel(hz, settings.htk) - lowest) / lowest_peak - 0.5;
    const double height = box.height * std::clamp(band / settings.n_mels, 0.0, 1.0);
    if (height - previous < closest) continue;
    previous = height;
    const double y = box.y + box.height - height;
    canvas.draw_line(box.x - tick_length, y, box.x, y);
    canvas.draw_text(tick_label(hz), box.x - 8, y, Align::right);
  }
  canvas.draw_text("Hz", box.x - 52, box.y + box.height / 2, Align::center, -90);
}

void draw_color_bar(Canvas& canvas, const Box& box, double low, double high,
                    const std::function<Color(double)>& color) {
  const int rows = static_cast<int>(box.height * Canvas::pixels_per_unit);
  const int columns = static_cast<int>(box.width * Canvas::pixels_per_unit);
  std::vector<Color> colors;
  for (int row = 0; row < rows; ++row) {
    colors.insert(colors.end(), static_cast<size_t>(columns), color(high - (high - low) * (row + 0.5) / rows));
  }
  canvas.draw_pixels(box.x, box.y, columns, rows, colors);
  canvas.set_color(ink);
  canvas.draw_rectangle(box.x, box.y, box.width, box.height);
  const double right = box.x + box.width;
  for (const double tick : round_ticks(low, high, 8)) {
    const double y = box.y + box.height * (high - tick) / (high - low);
    canvas.draw_line(right, y, right + tick_length, y);
    canvas.draw_text(tick_label(tick), right + 8, y, Align::left);
  }
  canvas.draw_text("dB", box.x + box.width / 2, box.y - 12, Align::center);
}

}  // namespace

void draw_spectrogram(const std::filesystem::path& path, const LogMel& mel, const MelSettings& settings,
                      const std::string& title) {
  MELGRAD_CHECK(
      mel.frames > 0 && mel.n_mels == settings.n_mels && static_cast<int64_t>(mel.db.size()) == mel.n_mels * mel.frames,
      "cannot draw {}: {} bands of {} frames in {} values", path.string(), mel.n_mels, mel.frames, mel.db.size());
  const Box plot = {72, 40, 800, 320};
  const Box bar = {plot.x + plot.width + 20, plot.y, 14, plot.height};
  Canvas canvas(bar.x + bar.width + 48, plot.y + plot.height + 48);

  const auto [minimum, maximum] = std::minmax_element(mel.db.begin(), mel.db.end());
  const double low = *minimum, high = std::max<double>(*maximum, low + 1);
  const auto color = [low, high](double db) { return magma((db - low) / (high - low)); };

  const int columns = static_cast<int>(plot.width * Canvas::pixels_per_unit);
  const int rows = static_cast<int>(plot.height * Canvas::pixels_per_unit);
  canvas.draw_pixels(plot.x, plot.y, columns, rows, heat_map(mel, columns, rows, color));
  draw_title(canvas, title, plot, plot.width);
  canvas.draw_rectangle(plot.x, plot.y, plot.width, plot.height);
  draw_time_axis(canvas, plot, static_cast<double>(mel.frames) * settings.hop_length / settings.sample_rate);
  draw_frequency_axis(canvas, plot, settings);
  draw_color_bar(canvas, bar, low, high, color);
  canvas.write(path);
}

}  // namespace melgrad
