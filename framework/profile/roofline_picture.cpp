#include "framework/profile/roofline_picture.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "framework/io/canvas.h"
#include "framework/io/plot.h"
#include "framework/io/ticks.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr Color roof_color = {0.35, 0.35, 0.4}, grid_color = {0.9, 0.9, 0.92}, white = {1, 1, 1};
constexpr double least_radius = 3, largest_radius = 13;
constexpr size_t most_numbered = 24;

struct Point {
  std::string phase, label;
  double intensity, gigaflops, share;  // operations a byte, 10^9 operations a second, part of the wall time
};

std::vector<Point> points_of(const ProfileSummary& summary, Device device) {
  std::vector<Point> points;
  for (const PhaseSummary& phase : summary.phases) {
    for (const KernelSummary& kernel : phase.kernels) {
      if (kernel.device != device || kernel.flops <= 0 || kernel.seconds <= 0) continue;
      points.push_back({phase.name, kernel.algorithm.empty() ? kernel.name : kernel.name + "*",
                        kernel.flops / kernel.bytes, kernel.flops_per_second() / 1e9,
                        kernel.seconds / summary.seconds});
    }
  }
  std::ranges::stable_sort(points, std::greater(), &Point::share);
  return points;
}

// A logarithmic axis from one power of ten to another.
struct LogAxis {
  double low, high;   // exponents
  double begin, end;  // units of the canvas
  double at(double value) const { return begin + (end - begin) * (std::log10(value) - low) / (high - low); }
};

LogAxis axis_of(double least, double largest, double begin, double end) {
  return {std::floor(std::log10(least)), std::ceil(std::log10(largest)), begin, end};
}

// Colours that differ also for colour-blind people (Okabe and Ito 2008).
Color color_of(size_t phase) {
  static constexpr Color palette[] = {{0, 0.45, 0.7},     {0.84, 0.37, 0}, {0, 0.62, 0.45}, {0.8, 0.47, 0.65},
                                      {0.34, 0.71, 0.91}, {0.9, 0.62, 0},  {0.4, 0.4, 0.4}};
  return palette[std::min(phase, std::size(palette) - 1)];
}

class Roofline {
 public:
  Roofline(std::vector<Point> points, const Ceilings& ceilings) : points_(std::move(points)), ceilings_(ceilings) {
    double least_x = ceilings.ridge(), most_x = ceilings.ridge(), least_y = roof(), most_y = roof();
    for (const Point& point : points_) {
      least_x = std::min(least_x, point.intensity);
      most_x = std::max(most_x, point.intensity);
      least_y = std::min(least_y, point.gigaflops);
      most_y = std::max(most_y, point.gigaflops);
      if (std::ranges::count(phases_, point.phase) == 0) phases_.push_back(point.phase);
    }
    x_ = axis_of(least_x * 0.8, most_x * 1.3, plot_.x, plot_.x + plot_.width);
    y_ = axis_of(least_y * 0.8, most_y * 1.3, plot_.y + plot_.height, plot_.y);
  }

  void draw(const std::filesystem::path& path, const std::string& title, Device device, bool equivalent) {
    draw_title(canvas_, title, plot_, plot_.width + legend_width);
    draw_axes();
    draw_roof(device);
    for (size_t i = points_.size(); i-- > 0;) draw_dot(i);
    for (size_t i = 0; i < numbered(); ++i) draw_number(i);
    draw_legend(equivalent);
    canvas_.write(path);
  }

 private:
  static constexpr double legend_width = 390;

  double roof() const { return ceilings_.flops_per_second / 1e9; }
  // The slowest kernels have a number and a line in the legend.
  size_t numbered() const {
    constexpr double least_share = 0.0005;  // the legend shows 0.1 %
    const auto first_fast = std::ranges::find_if(points_, [](const Point& p) { return p.share < least_share; });
    return std::clamp<size_t>(static_cast<size_t>(first_fast - points_.begin()), 1, most_numbered);
  }
  double radius(const Point& point) const {
    return std::max(least_radius, largest_radius * std::sqrt(point.share / points_.front().share));
  }
  size_t phase_index(const Point& point) const {
    return static_cast<size_t>(std::ranges::find(phases_, point.phase) - phases_.begin());
  }

  void draw_axes() {
    const double bottom = plot_.y + plot_.height, right = plot_.x + plot_.width;
    for (double exponent = x_.low; exponent <= x_.high; ++exponent) {
      const double value = std::pow(10, exponent), x = x_.at(value);
      canvas_.set_color(grid_color);
      canvas_.draw_line(x, plot_.y, x, bottom);
      canvas_.set_color(ink);
      canvas_.draw_line(x, bottom, x, bottom + tick_length);
      canvas_.draw_text(tick_label(value), x, bottom + 13, Align::center);
    }
    for (double exponent = y_.low; exponent <= y_.high; ++exponent) {
      const double value = std::pow(10, exponent), y = y_.at(value);
      canvas_.set_color(grid_color);
      canvas_.draw_line(plot_.x, y, right, y);
      canvas_.set_color(ink);
      canvas_.draw_line(plot_.x - tick_length, y, plot_.x, y);
      canvas_.draw_text(tick_label(value), plot_.x - 8, y, Align::right);
    }
    canvas_.draw_rectangle(plot_.x, plot_.y, plot_.width, plot_.height);
    canvas_.draw_text("arithmetic intensity, FLOP/byte", plot_.x + plot_.width / 2, bottom + 32, Align::center);
    canvas_.draw_text("speed, GFLOP/s", plot_.x - 58, plot_.y + plot_.height / 2, Align::center, -90);
  }

  void draw_roof(Device device) {
    const double ridge = ceilings_.ridge(), right = plot_.x + plot_.width, bottom = plot_.y + plot_.height;
    const double gigabytes = ceilings_.bytes_per_second / 1e9;
    // The slope begins at the left or the lower edge of the plot.
    const double first = std::max(std::pow(10, x_.low), std::pow(10, y_.low) / gigabytes);
    const double corner_x = x_.at(ridge), corner_y = y_.at(roof());
    canvas_.set_color(roof_color);
    for (const double offset : {0.0, 0.5}) {  // twice as thick as a grid line
      canvas_.draw_line(x_.at(first), y_.at(first * gigabytes) + offset, corner_x, corner_y + offset);
      canvas_.draw_line(corner_x, corner_y + offset, right, corner_y + offset);
    }
    canvas_.fill_circle(corner_x, corner_y, 2.5);
    for (double y = corner_y; y < bottom; y += 6) canvas_.draw_line(corner_x, y, corner_x, std::min(y + 2, bottom));
    canvas_.draw_text(
        fmt::format("{} {:.3g} GFLOP/s", device == Device::cpu ? "multiply-adds" : "matrix product", roof()),
        corner_x - 6, corner_y - 9, Align::right);  // no kernel is so fast at so low an intensity
    label_slope(fmt::format("copy {:.3g} GB/s", gigabytes), x_.at(first), y_.at(first * gigabytes), corner_x, corner_y);
    canvas_.draw_text(fmt::format("ridge {:.3g} FLOP/byte", ridge), corner_x + 5, bottom - 9, Align::left);
  }

  // Writes along the line from (x0, y0) to (x1, y1), above it, where no dot is near.
  void label_slope(const std::string& text, double x0, double y0, double x1, double y1) {
    const double slope = std::atan2(y1 - y0, x1 - x0), half = canvas_.text_width(text) / 2, above = 10;
    const double share = (half + 16) / std::hypot(x1 - x0, y1 - y0);
    for (double t = share; t < 1 - share; t += 0.02) {
      const double x = x0 + t * (x1 - x0) + above * std::sin(slope), y = y0 + t * (y1 - y0) - above * std::cos(slope);
      const auto is_near = [&](const Point& point) {
        const double right = x_.at(point.intensity) - x, down = y_.at(point.gigaflops) - y;
        const double along = right * std::cos(slope) + down * std::sin(slope);
        const double across = down * std::cos(slope) - right * std::sin(slope);
        const double room = radius(point) + label_size;
        return std::abs(along) < half + room + label_size && std::abs(across) < room;
      };
      if (std::ranges::any_of(points_, is_near)) continue;
      canvas_.draw_text(text, x, y, Align::center, slope * 180 / std::numbers::pi);
      return;
    }
    canvas_.draw_text(text, plot_.x + 8, plot_.y + 12, Align::left);
  }

  void draw_dot(size_t i) {
    const Point& point = points_[i];
    const double x = x_.at(point.intensity), y = y_.at(point.gigaflops);
    canvas_.set_color(white);
    canvas_.fill_circle(x, y, radius(point) + 1);
    canvas_.set_color(color_of(phase_index(point)));
    canvas_.fill_circle(x, y, radius(point));
  }

  // The nearest box around the point that covers neither a dot nor another number; none if all are far.
  std::optional<Box> free_box(double x, double y, double radius, double width) const {
    for (double distance = radius + 3; distance < 90; distance += 4) {
      for (int direction = 0; direction < 16; ++direction) {
        const double angle = direction * std::numbers::pi / 8;
        const double center_x = x + (distance + width / 2) * std::cos(angle);
        const double center_y = y + (distance + label_size / 2) * std::sin(angle);
        const Box box{center_x - width / 2 - 1, center_y - label_size / 2, width + 2, label_size};
        if (is_free(box)) return box;
      }
    }
    return std::nullopt;
  }

  void draw_number(size_t i) {
    const std::string text = fmt::format("{}", i + 1);
    const Point& point = points_[i];
    const double x = x_.at(point.intensity), y = y_.at(point.gigaflops);
    const std::optional<Box> box = free_box(x, y, radius(point), canvas_.text_width(text));
    if (!box) return;  // the legend still names its place
    taken_.push_back(*box);
    const double to_x = box->x + box->width / 2, to_y = box->y + box->height / 2;
    canvas_.set_color(roof_color);
    const double away = std::hypot(to_x - x, to_y - y);
    if (away > radius(point) + label_size + 4) {
      const double end = (away - label_size / 2 - 2) / away;
      canvas_.draw_line(x, y, x + (to_x - x) * end, y + (to_y - y) * end);
    }
    canvas_.set_color(ink);
    canvas_.draw_text(text, to_x, to_y, Align::center);
  }

  bool is_free(const Box& box) const {
    const auto inside_plot = box.x >= plot_.x && box.y >= plot_.y && box.x + box.width <= plot_.x + plot_.width &&
                             box.y + box.height <= plot_.y + plot_.height;
    const auto covers = [&](const Box& other) {
      return box.x < other.x + other.width && other.x < box.x + box.width && box.y < other.y + other.height &&
             other.y < box.y + box.height;
    };
    const auto covers_dot = [&](const Point& point) {
      const double size = radius(point) + 1;
      return covers({x_.at(point.intensity) - size, y_.at(point.gigaflops) - size, 2 * size, 2 * size});
    };
    const auto above_roof = [&](double x, double y) {
      const double intensity = std::pow(10, x_.low + (x_.high - x_.low) * (x - x_.begin) / (x_.end - x_.begin));
      return y < y_.at(std::min(roof(), intensity * ceilings_.bytes_per_second / 1e9));
    };
    const bool crosses_roof = above_roof(box.x, box.y) != above_roof(box.x + box.width, box.y + box.height);
    return inside_plot && !crosses_roof && std::ranges::none_of(taken_, covers) &&
           std::ranges::none_of(points_, covers_dot);
  }

  void draw_legend(bool equivalent) {
    const double left = plot_.x + plot_.width + 24, line = 17;
    const double phase_x = left + 26, name_x = phase_x + 66, share_x = plot_.x + plot_.width + legend_width;
    double y = plot_.y + 6;
    canvas_.set_font(label_size, true);
    canvas_.draw_text("phase", phase_x, y, Align::left);
    canvas_.draw_text("kernel", name_x, y, Align::left);
    canvas_.draw_text("time", share_x, y, Align::right);
    canvas_.set_font(label_size);
    for (size_t i = 0; i < numbered(); ++i) {
      y += line;
      const Point& point = points_[i];
      canvas_.set_color(color_of(phase_index(point)));
      canvas_.fill_circle(left + 18, y, 4);
      canvas_.set_color(ink);
      canvas_.draw_text(fmt::format("{}", i + 1), left + 10, y, Align::right);
      canvas_.draw_text(canvas_.fitted(point.phase, name_x - phase_x - 4), phase_x, y, Align::left);
      canvas_.draw_text(canvas_.fitted(point.label, share_x - name_x - 44), name_x, y, Align::left);
      canvas_.draw_text(fmt::format("{:.1f} %", 100 * point.share), share_x, y, Align::right);
    }
    if (!equivalent) return;
    canvas_.draw_text("* FLOP of a direct sum; Winograd's algorithm needs fewer,", left, y + 2 * line, Align::left);
    canvas_.draw_text("so a dot may lie above the roof", left, y + 3 * line, Align::left);
  }

  std::vector<Point> points_;  // the most time first
  Ceilings ceilings_;
  Box plot_ = {84, 40, 560, 470};
  Canvas canvas_{plot_.x + plot_.width + legend_width + 20, plot_.y + plot_.height + 50};
  std::vector<std::string> phases_;
  LogAxis x_{}, y_{};
  std::vector<Box> taken_;
};

}  // namespace

void draw_roofline(const std::filesystem::path& path, const ProfileSummary& summary, const Workload& workload,
                   Device device, const Ceilings& ceilings) {
  std::vector<Point> points = points_of(summary, device);
  if (points.empty()) {
    fail("cannot draw {}: no kernel on {} computed with floating-point numbers", path.string(), name_of(device));
  }
  const bool equivalent = std::ranges::any_of(points, [](const Point& point) { return point.label.ends_with('*'); });
  Roofline(std::move(points), ceilings)
      .draw(path, fmt::format("melgrad {} on {}", workload.command, workload.device), device, equivalent);
}

}  // namespace melgrad
