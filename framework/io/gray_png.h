// A picture in shades of grey as the bytes of a PNG file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace melgrad {

// values[row * columns + column], row 0 at the top; 0 is black, 255 is white. Throws Error if their number does not fit
// or cairo fails.
std::string gray_png(int columns, int rows, std::span<const uint8_t> values);

}  // namespace melgrad
