#include "framework/io/picture.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "framework/audio/mel_filter_bank.h"
#include "framework/io/canvas.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr Color ink = {0.13, 0.13, 0.15}, faint = {0.72, 0.72, 0.74}, white = {1, 1, 1};
constexpr double title_size = 13, label_size = 10.5, tick_length = 4;

struct Box {
  double x, y, width, height;
};

// The multiples of 1, 2 or 5 times a power of ten in [low, high] that make at most `most` steps.
std::vector<double> round_ticks(double low, double high, int most) {
  double step = std::pow(10.0, std::floor(std::log10((high - low) / most)));
  for (const double factor : {2.0, 2.5, 2.0}) {
    if ((high - low) / step > most) step *= factor;
  }
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string number(double value) { return fmt::format("{:.6g}", value == 0 ? 0 : value); }

void draw_title(Canvas& canvas, const std::string& title, const Box& plot, double width) {
  canvas.set_color(ink);
  canvas.set_font(title_size, true);
  canvas.draw_text(canvas.fitted(one_line(title), width), plot.x, plot.y - 18, Align::left);
  canvas.set_font(label_size);
}

double width_of_labels(const std::vector<std::string>& labels) {
  const double widest = 130;
  Canvas ruler(1, 1);
  ruler.set_font(label_size);
  double width = 0;
  for (const std::string& label : labels) width = std::max(width, ruler.text_width(label));
  return std::min(width, widest);
}

// The mean dB of the bins and frames under each pixel; row 0 is the highest band.
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
    canvas.draw_text(number(tick), x, bottom + 13, Align::center);
  }
  canvas.draw_text("seconds", box.x + box.width / 2, bottom + 31, Align::center);
}

// Bands lie evenly between the filters' peaks; ticks stand where their frequency falls on the mel scale.
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
    canvas.draw_text(number(hz), box.x - 8, y, Align::right);
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
    canvas.draw_text(number(tick), right + 8, y, Align::left);
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

void draw_confusion_matrix(const std::filesystem::path& path, const std::vector<std::string>& labels,
                           const std::vector<std::vector<int64_t>>& counts, const std::string& title) {
  const size_t classes = labels.size();
  const bool square = std::all_of(counts.begin(), counts.end(), [&](const auto& row) { return row.size() == classes; });
  MELGRAD_CHECK(classes > 0 && counts.size() == classes && square, "cannot draw {}: {} labels for {} rows of counts",
                path.string(), classes, counts.size());

  const double widest_title = 480;
  const double label_width = width_of_labels(labels);
  Canvas ruler(1, 1);
  ruler.set_font(title_size, true);
  const double title_width = std::min(ruler.text_width(title), widest_title);
  // Of hundreds of classes the picture shows the colours and no numbers: cells that hold some would make it gigabytes.
  const double largest_side = 2600, smallest_for_text = 12;
  const double cell = std::min(std::clamp(520.0 / static_cast<double>(classes), 26.0, 72.0),
                               largest_side / static_cast<double>(classes));
  const double side = cell * static_cast<double>(classes);
  const Box plot = {label_width + 44, 44, side, side};
  const double slanted = label_width * std::numbers::sqrt2 / 2 + 12;
  const double width = plot.x + std::max(side, title_width) + 24;
  Canvas canvas(width, plot.y + side + slanted + 30);
  draw_title(canvas, title, plot, width - plot.x - 24);

  for (size_t row = 0; row < classes; ++row) {
    const auto total = std::accumulate(counts[row].begin(), counts[row].end(), int64_t{0});
    const double y = plot.y + cell * static_cast<double>(row);
    for (size_t column = 0; column < classes; ++column) {
      const int64_t count = counts[row][column];
      const double share = total == 0 ? 0 : static_cast<double>(count) / static_cast<double>(total);
      const double x = plot.x + cell * static_cast<double>(column);
      canvas.set_color(blues(share));
      canvas.fill_rectangle(x, y, cell, cell);
      if (cell < smallest_for_text) continue;
      canvas.set_color(count == 0 ? faint : share > 0.5 ? white : ink);
      const std::string text = fmt::format("{}", count);
      canvas.set_font(std::min(12.0, 1.35 * cell / static_cast<double>(std::max<size_t>(text.size(), 3))));
      canvas.draw_text(text, x + cell / 2, y + cell / 2, Align::center);
    }
  }

  canvas.set_font(std::min(label_size, cell));
  canvas.set_color(ink);
  canvas.draw_rectangle(plot.x, plot.y, side, side);
  for (size_t i = 0; i < classes; ++i) {
    const double middle = cell * (static_cast<double>(i) + 0.5);
    const std::string label = canvas.fitted(labels[i], label_width);
    canvas.draw_text(label, plot.x - 8, plot.y + middle, Align::right);
    canvas.draw_text(label, plot.x + middle + 3, plot.y + side + 9, Align::right, -45);
  }
  canvas.draw_text("true", 16, plot.y + side / 2, Align::center, -90);
  canvas.draw_text("predicted", plot.x + side / 2, plot.y + side + slanted + 14, Align::center);
  canvas.write(path);
}

void draw_bar_chart(const std::filesystem::path& path, const std::vector<std::string>& labels,
                    const std::vector<int64_t>& counts, const std::string& title) {
  MELGRAD_CHECK(!labels.empty() && labels.size() == counts.size(), "cannot draw {}: {} labels for {} counts",
                path.string(), labels.size(), counts.size());
  const double row = 24, thickness = 16, room_for_count = 60;
  const double label_width = width_of_labels(labels);
  const Box plot = {label_width + 32, 44, 480, row * static_cast<double>(labels.size())};
  Canvas canvas(plot.x + plot.width + room_for_count, plot.y + plot.height + 20);
  draw_title(canvas, title, plot, plot.width);

  const auto longest = static_cast<double>(std::max<int64_t>(1, *std::ranges::max_element(counts)));
  for (size_t i = 0; i < labels.size(); ++i) {
    const double middle = plot.y + row * (static_cast<double>(i) + 0.5);
    const double length = plot.width * static_cast<double>(counts[i]) / longest;
    canvas.set_color(blues(0.7));
    canvas.fill_rectangle(plot.x, middle - thickness / 2, length, thickness);
    canvas.set_color(ink);
    canvas.draw_text(canvas.fitted(labels[i], label_width), plot.x - 8, middle, Align::right);
    canvas.draw_text(fmt::format("{}", counts[i]), plot.x + length + 8, middle, Align::left);
  }
  canvas.draw_line(plot.x, plot.y, plot.x, plot.y + plot.height);
  canvas.write(path);
}

}  // namespace melgrad
