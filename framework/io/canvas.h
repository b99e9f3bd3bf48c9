// A white picture to draw on: the little of cairo that the pictures need, with errors as exceptions.
#pragma once

#include <cairo.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

struct Color {
  double red, green, blue;  // 0 to 1
};

// Colour ramps, from 0 to 1. `magma` is matplotlib's (perceptually uniform, CC0); `blues` goes from white to dark blue.
Color magma(double value);
Color blues(double value);

enum class Align { left, center, right };

class Canvas {
 public:
  // In units of two pixels, so that text and lines stay sharp on dense screens.
  Canvas(double width, double height);

  void set_color(Color);
  void fill_rectangle(double x, double y, double width, double height);
  void draw_rectangle(double x, double y, double width, double height);
  void draw_line(double x0, double y0, double x1, double y1);

  // `y` is the middle of the letters' height. `degrees` turns the text around (x, y), clockwise.
  void set_font(double size, bool bold = false);
  void draw_text(std::string_view text, double x, double y, Align, double degrees = 0);
  double text_width(std::string_view text) const;
  // The text, or its beginning and an ellipsis where it would be wider than `width`.
  std::string fitted(std::string_view text, double width) const;

  // Pixels of the picture's own resolution, in a rectangle whose corner is (x, y).
  void draw_pixels(double x, double y, int columns, int rows, const std::vector<Color>& colors);

  void write(const std::filesystem::path&) const;

  static constexpr double pixels_per_unit = 2;

 private:
  struct Release {
    void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
    void operator()(cairo_t* context) const noexcept { cairo_destroy(context); }
  };
  std::unique_ptr<cairo_surface_t, Release> surface_;
  std::unique_ptr<cairo_t, Release> context_;
};

}  // namespace melgrad
