#include "framework/init.h"

#include <cmath>
#include <numbers>

#include "framework/random.h"

namespace melgrad {
namespace {

thread_local bool values_wanted = true;

template <class Distribution>
Tensor draw(const Shape& shape, Distribution distribution) {
  const RandomStream random = default_generator(Device::cpu).draw();
  if (!values_wanted) return Tensor::empty(shape);
  std::vector<float> values(static_cast<size_t>(shape.numel()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = distribution(random.draw(i));
  return Tensor::from(values, shape);
}

}  // namespace

WithoutInitialValues::WithoutInitialValues() : previous_(values_wanted) { values_wanted = false; }
WithoutInitialValues::~WithoutInitialValues() { values_wanted = previous_; }

Tensor uniform_init(const Shape& shape, float bound) {
  return draw(shape, [bound](Philox4 bits) { return (2 * uniform(bits.v[0]) - 1) * bound; });
}

Tensor kaiming_normal_init(const Shape& shape) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(shape[0] * shape[1] * shape[2]));
  return draw(shape, [deviation](Philox4 bits) {  // Box & Muller 1958; 1 - u is in (0, 1], so its log is finite
    const double radius = std::sqrt(-2 * std::log(1.0 - static_cast<double>(uniform(bits.v[0]))));
    const double angle = 2 * std::numbers::pi * static_cast<double>(uniform(bits.v[1]));
    return static_cast<float>(deviation * radius * std::cos(angle));
  });
}

Tensor default_init(const Shape& shape, int64_t fan_in) {
  return uniform_init(shape, 1.0f / std::sqrt(static_cast<float>(fan_in)));
}

}  // namespace melgrad
