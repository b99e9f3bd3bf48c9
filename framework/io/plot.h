// The parts that several pictures share: margins and titles.
#pragma once

#include <string>

#include "framework/io/canvas.h"

namespace melgrad {

inline constexpr Color ink = {0.13, 0.13, 0.15};
inline constexpr double title_size = 13, label_size = 10.5, tick_length = 4;  // in units of Canvas

struct Box {
  double x, y, width, height;
};

// Draws the title above `plot`, shortened to `width`, and leaves the color `ink` and the font of labels set.
void draw_title(Canvas& canvas, const std::string& title, const Box& plot, double width);

}  // namespace melgrad
