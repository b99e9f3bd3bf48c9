// Charts as SVG elements for a page. They have the colours of the page's style sheet: text and lines the colour of the
// text around them, series the classes s0 to s9.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "framework/training/calibration.h"

namespace melgrad {

struct ChartPoint {
  double x, y;
};

struct Series {
  std::string name;
  int color = 0;  // of ten; the legend shows the name in it
  bool dashed = false;
  std::vector<ChartPoint> points;
};

struct ChartAxes {
  std::string title, x_label, y_label;
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
  bool diagonal = false;  // a faint line from corner to corner
};

// A text that is shown while the pointer is at x.
struct Hint {
  double x;
  std::string text;
};

// A line chart with its legend. Points that are not finite interrupt a line.
std::string line_chart(const ChartAxes& axes, const std::vector<Series>& series, const std::vector<Hint>& hints = {},
                       double marked_x = -1);

// Bars from 0 to the accuracy of each bin, a mark at its mean probability, and below them the number of examples.
std::string reliability_chart(std::span<const ReliabilityBin> bins);

}  // namespace melgrad
