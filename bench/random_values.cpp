#include "bench/random_values.h"

#include <algorithm>

#include "framework/init.h"
#include "framework/ops.h"

namespace melgrad::bench {

Tensor random_values(const Shape& shape, DType dtype, Device device) {
  constexpr int64_t period = (1 << 16) - 1;  // odd, so that rows of a matrix with 2^n columns differ
  static const std::vector<float> sequence = uniform_init({period}, 1).to_vector();
  std::vector<float> values(static_cast<size_t>(shape.numel()));
  for (size_t i = 0; i < values.size(); i += sequence.size()) {
    std::copy_n(sequence.begin(), std::min(sequence.size(), values.size() - i),
                values.begin() + static_cast<ptrdiff_t>(i));
  }
  return cast(Tensor::from(values, shape, device), dtype);
}

}  // namespace melgrad::bench
