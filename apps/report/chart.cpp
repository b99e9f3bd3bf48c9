#include "apps/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/io/html.h"
#include "framework/io/ticks.h"

namespace melgrad {
namespace {

constexpr double chart_width = 360, chart_height = 230;
constexpr struct { double x, y, width, height; } frame = {50, 10, 300, 176};  // of the axes

struct Scale {
  const ChartAxes& axes;
  double x(double value) const { return frame.x + frame.width * (value - axes.x_low) / (axes.x_high - axes.x_low); }
  double y(double value) const {
    return frame.y + frame.height * (1 - (value - axes.y_low) / (axes.y_high - axes.y_low));
  }
};

std::string svg_text(double x, double y, const char* kind, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>", x, y, kind, html_escaped(words));
}

std::string grid(const ChartAxes& axes, int most_columns) {
  const Scale scale{axes};
  std::string svg;
  for (const double tick : round_ticks(axes.y_low, axes.y_high, 7)) {
    const double y = scale.y(tick);
    svg += fmt::format("<path class=\"grid\" d=\"M{:g} {:.1f}h{:g}\"/>", frame.x, y, frame.width);
    svg += svg_text(frame.x - 6, y + 4, "tick right", tick_label(tick));
  }
  const double bottom = frame.y + frame.height;
  for (const double tick : round_ticks(axes.x_low, axes.x_high, most_columns)) {
    svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:g}v4\"/>", scale.x(tick), bottom);
    svg += svg_text(scale.x(tick), bottom + 17, "tick center", tick_label(tick));
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{:g} {:g}h{:g}\"/>", frame.x, bottom, frame.width);
  svg += svg_text(frame.x + frame.width / 2, chart_height - 8, "tick center", axes.x_label);
  svg += fmt::format("<text class=\"tick center\" transform=\"translate(10 {:g}) rotate(-90)\">{}</text>",
                     frame.y + frame.height / 2, html_escaped(axes.y_label));
  if (axes.diagonal) {
    svg += fmt::format("<path class=\"diagonal\" d=\"M{:g} {:g}L{:g} {:g}\"/>", frame.x, bottom, frame.x + frame.width,
                       frame.y);
  }
  return svg;
}

std::string path_of(const Series& series, const Scale& scale) {
  std::string path;
  bool drawing = false;
  for (const auto& [x, y] : series.points) {
    if (!std::isfinite(y)) {
      drawing = false;
      continue;
    }
    if (!drawing) {
      path += fmt::format("M{:.1f} {:.1f}", scale.x(x), scale.y(y));
    } else {
      path += fmt::format("L{:.1f} {:.1f}", scale.x(x), scale.y(y));
    }
    drawing = true;
  }
  return path;
}

// Invisible columns whose titles browsers show under the pointer.
std::string hint_columns(const std::vector<Hint>& hints, const Scale& scale) {
  std::string svg;
  for (size_t i = 0; i < hints.size(); ++i) {
    const double left = i == 0 ? frame.x : (scale.x(hints[i - 1].x) + scale.x(hints[i].x)) / 2;
    const double right =
        i + 1 == hints.size() ? frame.x + frame.width : (scale.x(hints[i].x) + scale.x(hints[i + 1].x)) / 2;
    svg += fmt::format(
        "<rect class=\"hint\" x=\"{:.1f}\" y=\"{:g}\" width=\"{:.1f}\" height=\"{:g}\"><title>{}</title></rect>", left,
        frame.y, std::max(0.0, right - left), frame.height, html_escaped(hints[i].text));
  }
  return svg;
}

std::string figure(const ChartAxes& axes, double height, const std::string& content, const std::string& legend) {
  return fmt::format(
      "<figure class=\"chart\"><figcaption>{0}</figcaption>{3}<svg viewBox=\"0 0 {1:g} {2:g}\" role=\"img\" "
      "aria-label=\"{0}\">{4}</svg></figure>",
      html_escaped(axes.title), chart_width, height, legend, content);
}

}  // namespace

std::string line_chart(const ChartAxes& axes, const std::vector<Series>& series, const std::vector<Hint>& hints,
                       double marked_x) {
  const Scale scale{axes};
  std::string svg = grid(axes, 6), legend;
  if (marked_x >= axes.x_low) {
    svg += fmt::format("<path class=\"mark\" d=\"M{:.1f} {:g}v{:g}\"/>", scale.x(marked_x), frame.y, frame.height);
  }
  for (const Series& one : series) {
    const std::string style = fmt::format("s{}{}", one.color % 10, one.dashed ? " dashed" : "");
    svg += fmt::format("<path class=\"line {}\" d=\"{}\"/>", style, path_of(one, scale));
    legend += fmt::format("<li class=\"{}\">{}</li>", style, html_escaped(one.name));
  }
  return figure(axes, chart_height, svg + hint_columns(hints, scale), "<ul class=\"legend\">" + legend + "</ul>");
}

std::string reliability_chart(std::span<const ReliabilityBin> bins) {
  const ChartAxes axes{.title = "Reliability",
                       .x_label = "probability of the answer",
                       .y_label = "share of right answers",
                       .diagonal = true};
  const Scale scale{axes};
  constexpr double histogram = 44, gap = 6;
  std::string svg = grid(axes, 5);
  int64_t most = 1;
  for (const ReliabilityBin& bin : bins) most = std::max(most, bin.count);
  for (const ReliabilityBin& bin : bins) {
    if (bin.count == 0) continue;
    const double left = scale.x(bin.low) + 1, width = scale.x(bin.high) - scale.x(bin.low) - 2;
    const double height = histogram * static_cast<double>(bin.count) / static_cast<double>(most);
    svg += fmt::format(
        "<g><title>{}</title>",
        html_escaped(fmt::format("{} tracks with a probability from {:.2f} to {:.2f}: mean {:.3f}, right {:.3f}",
                                 bin.count, bin.low, bin.high, bin.confidence, bin.accuracy)));
    svg += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", left,
                       scale.y(bin.accuracy), width, scale.y(0) - scale.y(bin.accuracy));
    svg += fmt::format("<path class=\"expected\" d=\"M{:.1f} {:.1f}h{:.1f}\"/>", left, scale.y(bin.confidence), width);
    svg += fmt::format("<rect class=\"count\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/></g>", left,
                       chart_height + gap + histogram - height, width, height);
  }
  svg += svg_text(frame.x - 6, chart_height + gap + histogram, "tick right", "tracks");
  svg += svg_text(frame.x - 6, chart_height + gap + 11, "tick right", fmt::format("{}", most));
  const std::string legend =
      "<ul class=\"legend\"><li class=\"s0\">share of right answers</li><li class=\"s1\">mean probability</li></ul>";
  return figure(axes, chart_height + gap + histogram + 6, svg, legend);
}

}  // namespace melgrad
