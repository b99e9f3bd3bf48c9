#include "framework/io/plot.h"

#include "framework/terminal/text.h"

namespace melgrad {

void draw_title(Canvas& canvas, const std::string& title, const Box& plot, double width) {
  canvas.set_color(ink);
  canvas.set_font(title_size, true);
  canvas.draw_text(canvas.fitted(one_line(title), width), plot.x, plot.y - 18, Align::left);
  canvas.set_font(label_size);
}

}  // namespace melgrad
