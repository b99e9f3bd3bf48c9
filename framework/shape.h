// The dimensions of a tensor, outermost first. Activations are [N, H, W, C] (H = mel bins, W = frames), convolution
// weights [out_channels, kernel_height, kernel_width, in_channels], matrices [rows, columns]; a scalar is [].
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "kernels/device/error.h"

namespace melgrad {

class Shape {
 public:
  static constexpr size_t max_rank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents) : rank_(extents.size()) {
    MELGRAD_CHECK(rank_ <= max_rank, "a tensor has at most {} dimensions, got {}", max_rank, rank_);
    for (const int64_t extent : extents) MELGRAD_CHECK(extent >= 0, "a dimension cannot be negative, got {}", extent);
    std::copy(extents.begin(), extents.end(), extents_.begin());
  }

  size_t rank() const { return rank_; }
  int64_t operator[](size_t i) const { return extents_[i]; }
  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }
  int64_t numel() const {
    int64_t product = 1;
    for (const int64_t extent : *this) product *= extent;
    return product;
  }
  bool operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

 private:
  size_t rank_ = 0;
  std::array<int64_t, max_rank> extents_{};
};

}  // namespace melgrad

template <>
struct fmt::formatter<melgrad::Shape> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const melgrad::Shape& shape, Context& context) const {
    std::string text = "[";
    for (const int64_t extent : shape) text += fmt::format("{}{}", text.size() > 1 ? ", " : "", extent);
    return fmt::formatter<std::string_view>::format(text + "]", context);
  }
};
