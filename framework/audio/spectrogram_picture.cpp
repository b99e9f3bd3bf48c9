#include "framework/audio/spectrogram_picture.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "framework/audio/mel_filter_bank.h"
#include "framework/io/atomic_file.h"
#include "framework/io/canvas.h"
#include "framework/io/plot.h"
#include "framework/io/ticks.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

void require_values(const LogMel& mel, const MelSettings& settings) {
  MELGRAD_CHECK(
      mel.frames > 0 && mel.n_mels == settings.n_mels && static_cast<int64_t>(mel.db.size()) == mel.n_mels * mel.frames,
      "cannot draw a spectrogram: {} bands of {} frames in {} values", mel.n_mels, mel.frames, mel.db.size());
}

struct Range {
  double low, high;  // low < high
};

Range range_of(const LogMel& mel) {
  const auto [minimum, maximum] = std::minmax_element(mel.db.begin(), mel.db.end());
  return {*minimum, std::max<double>(*maximum, *minimum + 1)};
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

void draw_frequency_axis(Canvas& canvas, const Box& box, const MelSettings& settings) {
  for (const auto& [hertz, height] : frequency_ticks(settings, box.height, 15)) {
    const double y = box.y + box.height - height;
    canvas.draw_line(box.x - tick_length, y, box.x, y);
    canvas.draw_text(tick_label(hertz), box.x - 8, y, Align::right);
  }
  canvas.draw_text("Hz", box.x - 52, box.y + box.height / 2, Align::center, -90);
}

void draw_axes(Canvas& canvas, const Box& plot, const LogMel& mel, const MelSettings& settings) {
  canvas.draw_rectangle(plot.x, plot.y, plot.width, plot.height);
  draw_time_axis(canvas, plot, static_cast<double>(mel.frames) * settings.hop_length / settings.sample_rate);
  draw_frequency_axis(canvas, plot, settings);
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

// Light grey for quiet parts, dark grey for loud ones, so that the colours of the relevance stand out.
Color grey(double value) {
  const double shade = 0.97 - 0.75 * value;
  return {shade, shade, shade};
}

Color blend(Color below, Color above, double opacity) {
  const auto mix = [opacity](double a, double b) { return a + opacity * (b - a); };
  return {mix(below.red, above.red), mix(below.green, above.green), mix(below.blue, above.blue)};
}

constexpr Color relevance_color = {0.85, 0.25, 0.02};

// A filled curve of one value from 0 to 1 for each column of pixels.
void draw_curve(Canvas& canvas, const Box& box, std::span<const double> values) {
  const double largest = std::max(1e-9, *std::ranges::max_element(values));
  const double step = box.width / static_cast<double>(values.size());
  canvas.set_color(relevance_color);
  for (size_t i = 0; i < values.size(); ++i) {
    const double height = box.height * values[i] / largest;
    canvas.fill_rectangle(box.x + static_cast<double>(i) * step, box.y + box.height - height, step, height);
  }
}

}  // namespace

std::vector<double> pixel_means(std::span<const float> values, int64_t n_mels, int64_t frames, int columns, int rows) {
  const auto range = [](int64_t count, int index, int pixels) {
    const int64_t first = count * index / pixels;
    return std::pair(first, std::max(first + 1, count * (index + 1) / pixels));
  };
  std::vector<double> means;
  for (int row = 0; row < rows; ++row) {
    const auto [first_band, end_band] = range(n_mels, rows - 1 - row, rows);
    for (int column = 0; column < columns; ++column) {
      const auto [first, end] = range(frames, column, columns);
      double sum = 0;
      for (int64_t band = first_band; band < end_band; ++band) {
        const float* const row_of_band = values.data() + band * frames;
        sum = std::accumulate(row_of_band + first, row_of_band + end, sum);
      }
      means.push_back(sum / static_cast<double>((end - first) * (end_band - first_band)));
    }
  }
  return means;
}

std::vector<FrequencyTick> frequency_ticks(const MelSettings& settings, double height, double closest) {
  const double lowest = hz_to_mel(settings.fmin, settings.htk);
  const double highest = hz_to_mel(settings.highest_frequency(), settings.htk);
  const double lowest_peak = (highest - lowest) / (settings.n_mels + 1);
  std::vector<FrequencyTick> ticks;
  for (const double hertz : {0, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000}) {
    if (hertz < settings.fmin || hertz > settings.highest_frequency()) continue;
    const double band = (hz_to_mel(hertz, settings.htk) - lowest) / lowest_peak - 0.5;
    const double position = height * std::clamp(band / settings.n_mels, 0.0, 1.0);
    if (ticks.empty() || position - ticks.back().height >= closest) ticks.push_back({hertz, position});
  }
  return ticks;
}

std::string spectrogram_png(const LogMel& mel, const MelSettings& settings, const std::string& title) {
  require_values(mel, settings);
  const Box plot = {72, 40, 800, 320};
  const Box bar = {plot.x + plot.width + 20, plot.y, 14, plot.height};
  Canvas canvas(bar.x + bar.width + 48, plot.y + plot.height + 48);

  const auto [low, high] = range_of(mel);
  const auto color = [low = low, high = high](double db) { return magma((db - low) / (high - low)); };

  const int columns = static_cast<int>(plot.width * Canvas::pixels_per_unit);
  const int rows = static_cast<int>(plot.height * Canvas::pixels_per_unit);
  std::vector<Color> colors;
  for (const double db : pixel_means(mel.db, mel.n_mels, mel.frames, columns, rows)) colors.push_back(color(db));
  canvas.draw_pixels(plot.x, plot.y, columns, rows, colors);
  draw_title(canvas, title, plot, plot.width);
  draw_axes(canvas, plot, mel, settings);
  draw_color_bar(canvas, bar, low, high, color);
  return canvas.png();
}

void draw_spectrogram(const std::filesystem::path& path, const LogMel& mel, const MelSettings& settings,
                      const std::string& title) {
  write_file_atomically(path, spectrogram_png(mel, settings, title));
}

void draw_relevance(const std::filesystem::path& path, const LogMel& mel, const MelSettings& settings,
                    std::span<const float> relevance, const std::string& title) {
  require_values(mel, settings);
  MELGRAD_CHECK(relevance.size() == mel.db.size(), "cannot draw {}: {} relevances for {} values", path.string(),
                relevance.size(), mel.db.size());
  const Box curve = {72, 40, 800, 56};
  const Box plot = {curve.x, curve.y + curve.height + 8, curve.width, 320};
  Canvas canvas(plot.x + plot.width + 28, plot.y + plot.height + 48);
  draw_title(canvas, title, curve, curve.width);

  const auto [low, high] = range_of(mel);
  const int columns = static_cast<int>(plot.width * Canvas::pixels_per_unit);
  const int rows = static_cast<int>(plot.height * Canvas::pixels_per_unit);
  const std::vector<double> decibels = pixel_means(mel.db, mel.n_mels, mel.frames, columns, rows);
  const std::vector<double> relevances = pixel_means(relevance, mel.n_mels, mel.frames, columns, rows);
  std::vector<Color> colors;
  for (size_t i = 0; i < decibels.size(); ++i) {
    colors.push_back(
        blend(grey((decibels[i] - low) / (high - low)), relevance_color, 0.8 * std::pow(relevances[i], 1.5)));
  }
  canvas.draw_pixels(plot.x, plot.y, columns, rows, colors);
  draw_curve(canvas, curve, pixel_means(relevance, mel.n_mels, mel.frames, columns, 1));
  canvas.set_color(ink);
  canvas.draw_text("relevance", curve.x - 8, curve.y + curve.height / 2, Align::right);
  canvas.draw_line(curve.x, curve.y + curve.height, curve.x + curve.width, curve.y + curve.height);
  draw_axes(canvas, plot, mel, settings);
  canvas.write(path);
}

}  // namespace melgrad
