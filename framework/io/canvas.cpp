#include "framework/io/canvas.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "framework/io/atomic_file.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

void check(cairo_status_t status) {
  if (status != CAIRO_STATUS_SUCCESS) fail("cannot draw: {}", cairo_status_to_string(status));
}

Color ramp(std::span<const uint32_t> stops, double value) {
  const double position = std::clamp(value, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
  const auto below = std::min(static_cast<size_t>(position), stops.size() - 2);
  const double share = position - static_cast<double>(below);
  const auto channel = [&](int shift) {
    const double low = stops[below] >> shift & 0xFF, high = stops[below + 1] >> shift & 0xFF;
    return (low + share * (high - low)) / 255;
  };
  return {channel(16), channel(8), channel(0)};
}

uint32_t packed(Color color) {
  const auto channel = [](double value) {
    return static_cast<uint32_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
  };
  return channel(color.red) << 16 | channel(color.green) << 8 | channel(color.blue);
}

}  // namespace

Color magma(double value) {
  static constexpr uint32_t stops[] = {0x000004, 0x07061C, 0x150E38, 0x29115A, 0x3F0F72, 0x56147D, 0x6A1C81,
                                       0x802582, 0x942C80, 0xAB337C, 0xC03A76, 0xD6456C, 0xE85362, 0xF4695C,
                                       0xFA815F, 0xFD9B6B, 0xFEB47B, 0xFECD90, 0xFDE5A7, 0xFCFDBF};
  return ramp(stops, value);
}

Color blues(double value) {
  static constexpr uint32_t stops[] = {0xFFFFFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6,
                                       0x4292C6, 0x2171B5, 0x08519C, 0x08306B};
  return ramp(stops, value);
}

Canvas::Canvas(double width, double height)
    : surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(std::ceil(width * pixels_per_unit)),
                                          static_cast<int>(std::ceil(height * pixels_per_unit)))),
      context_(cairo_create(surface_.get())) {
  check(cairo_surface_status(surface_.get()));
  check(cairo_status(context_.get()));
  cairo_scale(context_.get(), pixels_per_unit, pixels_per_unit);
  cairo_set_line_width(context_.get(), 1);
  set_color({1, 1, 1});
  cairo_paint(context_.get());
}

void Canvas::set_color(Color color) { cairo_set_source_rgb(context_.get(), color.red, color.green, color.blue); }

void Canvas::fill_rectangle(double x, double y, double width, double height) {
  cairo_rectangle(context_.get(), x, y, width, height);
  cairo_fill(context_.get());
}

void Canvas::draw_rectangle(double x, double y, double width, double height) {
  cairo_rectangle(context_.get(), x, y, width, height);
  cairo_stroke(context_.get());
}

void Canvas::fill_circle(double x, double y, double radius) {
  cairo_new_sub_path(context_.get());
  cairo_arc(context_.get(), x, y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(context_.get());
}

void Canvas::draw_line(double x0, double y0, double x1, double y1) {
  cairo_move_to(context_.get(), x0, y0);
  cairo_line_to(context_.get(), x1, y1);
  cairo_stroke(context_.get());
}

void Canvas::set_font(double size, bool bold) {
  cairo_select_font_face(context_.get(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context_.get(), size);
}

double Canvas::text_width(std::string_view text) const {
  cairo_text_extents_t extents;
  cairo_text_extents(context_.get(), std::string(text).c_str(), &extents);
  return extents.x_advance;
}

void Canvas::draw_text(std::string_view text, double x, double y, Align align, double degrees) {
  cairo_text_extents_t capital;
  cairo_text_extents(context_.get(), "H", &capital);
  const double share = align == Align::left ? 0 : align == Align::center ? 0.5 : 1;
  cairo_save(context_.get());
  cairo_translate(context_.get(), x, y);
  cairo_rotate(context_.get(), degrees * std::numbers::pi / 180);
  cairo_move_to(context_.get(), -share * text_width(text), capital.height / 2);
  cairo_show_text(context_.get(), std::string(text).c_str());
  cairo_restore(context_.get());
}

std::string Canvas::fitted(std::string_view text, double width) const {
  if (text_width(text) <= width) return std::string(text);
  const auto continues_character = [](char byte) { return (byte & 0xC0) == 0x80; };
  while (!text.empty()) {
    size_t keep = text.size() - 1;
    while (keep > 0 && continues_character(text[keep])) --keep;
    text = text.substr(0, keep);
    const std::string shortened = std::string(text) + "…";
    if (text_width(shortened) <= width) return shortened;
  }
  return {};
}

void Canvas::draw_pixels(double x, double y, int columns, int rows, const std::vector<Color>& colors) {
  const std::unique_ptr<cairo_surface_t, Release> image(cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows));
  check(cairo_surface_status(image.get()));
  unsigned char* line = cairo_image_surface_get_data(image.get());
  for (int row = 0; row < rows; ++row, line += cairo_image_surface_get_stride(image.get())) {
    auto* pixel = reinterpret_cast<uint32_t*>(line);
    for (int column = 0; column < columns; ++column) {
      pixel[column] =
          packed(colors[static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(column)]);
    }
  }
  cairo_surface_mark_dirty(image.get());
  cairo_save(context_.get());
  cairo_translate(context_.get(), x, y);
  cairo_scale(context_.get(), 1 / pixels_per_unit, 1 / pixels_per_unit);
  cairo_set_source_surface(context_.get(), image.get(), 0, 0);
  cairo_paint(context_.get());
  cairo_restore(context_.get());
}

std::string Canvas::png() const {
  check(cairo_status(context_.get()));
  std::string bytes;
  const auto append = [](void* to, const unsigned char* data, unsigned int length) {
    static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
  };
  check(cairo_surface_write_to_png_stream(surface_.get(), append, &bytes));
  return bytes;
}

void Canvas::write(const std::filesystem::path& path) const { write_file_atomically(path, png()); }

}  // namespace melgrad
