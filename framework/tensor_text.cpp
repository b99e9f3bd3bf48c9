// Formats tensors by the rules of PyTorch's print() (torch/_tensor_str.py) with its default options.
#include <cmath>
#include <limits>
#include <ostream>
#include <utility>

#include "framework/ops.h"

namespace melgrad {
namespace {

constexpr int64_t most_values = 1000;  // larger tensors are shortened to their edges
constexpr int64_t edge_items = 3;
constexpr size_t line_width = 80;
constexpr int64_t ellipsis = -1;

std::string format_number(float value, bool whole, bool scientific) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (scientific) return fmt::format("{:.4e}", value);
  return whole ? fmt::format("{:.0f}.", value) : fmt::format("{:.4f}", value);
}

// All numbers in the same notation.
std::vector<std::string> format_numbers(const std::vector<float>& values) {
  bool whole = true;
  float least = std::numeric_limits<float>::infinity(), most = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    whole = whole && value == std::ceil(value);
    if (value == 0) continue;
    least = std::min(least, std::abs(value));
    most = std::max(most, std::abs(value));
  }
  const bool scientific = most > 0 && (most / least > 1000 || most > 1e8f || (!whole && least < 1e-4f));
  std::vector<std::string> texts;
  for (const float value : values) texts.push_back(format_number(value, whole, scientific));
  return texts;
}

template <class T>
std::vector<std::string> format_integers(const Tensor& tensor, const std::vector<int64_t>& elements) {
  std::vector<std::string> texts;
  for (const int64_t element : elements) texts.push_back(fmt::format("{}", tensor.as<T>()[element]));
  return texts;
}

std::vector<std::string> format_elements(const Tensor& tensor, const std::vector<int64_t>& elements) {
  if (tensor.dtype() == DType::uint64) return format_integers<uint64_t>(tensor, elements);
  if (tensor.dtype() == DType::uint8) return format_integers<uint8_t>(tensor, elements);
  const Tensor wide = cast(tensor, DType::float32);
  std::vector<float> values;
  for (const int64_t element : elements) values.push_back(wide.as<float>()[element]);
  return format_numbers(values);
}

class Text {
 public:
  // `tensor` is on the CPU.
  explicit Text(const Tensor& tensor) : shape_(tensor.shape()), abridged_(tensor.numel() > most_values) {
    texts_ = format_elements(tensor, shown_elements());
    for (const std::string& text : texts_) width_ = std::max(width_, text.size());
  }

  // Writes the next values as nested lists. The outermost list is along `dimension`; its opening bracket is in column
  // `indent`.
  std::string write(size_t dimension, size_t indent) {
    if (dimension == shape_.rank()) return fmt::format("{:>{}}", texts_[next_++], width_);
    const bool innermost = dimension + 1 == shape_.rank();
    const std::string new_line = fmt::format("\n{:{}}", "", indent + 1);
    const std::string blank_lines(shape_.rank() - dimension - (innermost ? 1 : 2), '\n');
    const std::string separator = innermost ? ", " : fmt::format(",{}{}", blank_lines, new_line);
    const size_t per_line = std::max<size_t>(1, (line_width - indent) / (width_ + 2));
    std::string result = "[";
    size_t items = 0;
    for (const int64_t index : shown_indices(dimension)) {
      if (items > 0) result += innermost && items % per_line == 0 ? "," + new_line : separator;
      result += index == ellipsis ? (innermost ? " ..." : "...") : write(dimension + 1, indent + 1);
      ++items;
    }
    return result + "]";
  }

 private:
  std::vector<int64_t> shown_indices(size_t dimension) const {
    const int64_t extent = shape_[dimension];
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < extent; ++i) {
      const bool hidden = abridged_ && i >= edge_items && i < extent - edge_items;
      if (!hidden) indices.push_back(i);
      if (hidden && i == edge_items) indices.push_back(ellipsis);
    }
    return indices;
  }

  // Offsets of the shown values, in row-major order.
  std::vector<int64_t> shown_elements() const {
    std::vector<int64_t> offsets{0};
    for (size_t dimension = 0; dimension < shape_.rank(); ++dimension) {
      std::vector<int64_t> finer;
      for (const int64_t offset : offsets) {
        for (const int64_t index : shown_indices(dimension)) {
          if (index != ellipsis) finer.push_back(offset * shape_[dimension] + index);
        }
      }
      offsets = std::move(finer);
    }
    return offsets;
  }

  Shape shape_;
  bool abridged_;
  std::vector<std::string> texts_;  // of the shown values, in order
  size_t width_ = 0, next_ = 0;
};

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "tensor(undefined)";
  const std::string start = "tensor(";
  const Tensor here = tensor.detach().to(Device::cpu);
  const std::string values = here.numel() == 0 ? "[]" : Text(here).write(0, start.size());
  return fmt::format("{}{}, shape={}, dtype={}, device={})", start, values, tensor.shape(), name_of(tensor.dtype()),
                     name_of(tensor.device()));
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

}  // namespace melgrad
