#include "framework/io/gray_png.h"

#include <cairo.h>

#include <algorithm>
#include <memory>

#include "kernels/device/error.h"

namespace melgrad {

std::string gray_png(int columns, int rows, std::span<const uint8_t> values) {
  MELGRAD_CHECK(columns > 0 && rows > 0 && std::ssize(values) == int64_t{columns} * rows,
                "cannot draw {} values as {} x {} pixels", values.size(), columns, rows);
  // cairo writes pictures of this format as grey.
  const std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface(
      cairo_image_surface_create(CAIRO_FORMAT_A8, columns, rows), cairo_surface_destroy);
  cairo_surface_flush(surface.get());
  unsigned char* const pixels = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int row = 0; pixels && row < rows; ++row) {
    std::ranges::copy(
        values.subspan(static_cast<size_t>(row) * static_cast<size_t>(columns), static_cast<size_t>(columns)),
        pixels + static_cast<ptrdiff_t>(row) * stride);
  }
  cairo_surface_mark_dirty(surface.get());
  std::string bytes;
  const auto append = [](void* to, const unsigned char* data, unsigned int length) {
    static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
  };
  const cairo_status_t status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  if (status != CAIRO_STATUS_SUCCESS) fail("cannot draw: {}", cairo_status_to_string(status));
  return bytes;
}

}  // namespace melgrad
