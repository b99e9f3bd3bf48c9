#include "framework/io/picture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "framework/io/atomic_file.h"
#include "framework/io/canvas.h"
#include "framework/io/plot.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr Color faint = {0.72, 0.72, 0.74}, white = {1, 1, 1};

double width_of_labels(const std::vector<std::string>& labels) {
  const double widest = 130;
  Canvas ruler(1, 1);
  ruler.set_font(label_size);
  double width = 0;
  for (const std::string& label : labels) width = std::max(width, ruler.text_width(label));
  return std::min(width, widest);
}

}  // namespace

std::string confusion_matrix_png(const std::vector<std::string>& labels,
                                 const std::vector<std::vector<int64_t>>& counts, const std::string& title) {
  const size_t classes = labels.size();
  const bool square = std::all_of(counts.begin(), counts.end(), [&](const auto& row) { return row.size() == classes; });
  MELGRAD_CHECK(classes > 0 && counts.size() == classes && square,
                "cannot draw a confusion matrix: {} labels for {} rows of counts", classes, counts.size());

  const double widest_title = 480;
  const double label_width = width_of_labels(labels);
  Canvas ruler(1, 1);
  ruler.set_font(title_size, true);
  const double title_width = std::min(ruler.text_width(title), widest_title);
  // With hundreds of classes only the shades are drawn: cells large enough for numbers would make the picture
  // gigabytes.
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
  return canvas.png();
}

void draw_confusion_matrix(const std::filesystem::path& path, const std::vector<std::string>& labels,
                           const std::vector<std::vector<int64_t>>& counts, const std::string& title) {
  write_file_atomically(path, confusion_matrix_png(labels, counts, title));
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
