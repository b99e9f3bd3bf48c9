// A picture with a white background. Wraps the functions of cairo that the pictures need; a failed call throws Error.
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

// Colour maps for values from 0 to 1: matplotlib's magma (perceptually uniform, CC0), and white to dark blue.
Color magma(double value);
Color blues(double value);

enum class Align { left, center, right };

class Canvas {
 public:
  // All lengths are in units of two pixels, so that text and lines are sharp on high-resolution screens.
  Canvas(double width, double height);

  void set_color(Color);
  void fill_rectangle(double x, double y, double width, double height);
  void draw_rectangle(double x, double y, double width, double height);
  void fill_circle(double x, double y, double radius);
  void draw_line(double x0, double y0, double x1, double y1);

  void set_font(double size, bool bold = false);
  // `y` is the vertical centre of the letters. `degrees` rotates the text clockwise around (x, y).
  void draw_text(std::string_view text, double x, double y, Align, double degrees = 0);
  double text_width(std::string_view text) const;
  // The text, shortened with an ellipsis if it is wider than `width`.
  std::string fitted(std::string_view text, double width) const;

  // Draws a rectangle of pixels, at the full resolution of the picture, with its upper left corner at (x, y).
  void draw_pixels(double x, double y, int columns, int rows, const std::vector<Color>& colors);

  // The bytes of a PNG file.
  std::string png() const;
  // Writes them. Throws WriteError.
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
