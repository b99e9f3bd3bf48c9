// The rules of framework/mixed_precision.h.
#include "framework/mixed_precision.h"

#include <gtest/gtest.h>

#include "framework/ops.h"

namespace melgrad {
namespace {

const std::vector<float> values{1.001f, -2.003f, 0.3f, 4};

Tensor weight() { return Tensor::from(values, {2, 2}).require_grad(); }

std::vector<float> rounded(const Tensor& x, DType dtype) {
  return cast(cast(x.clone(), dtype), DType::float32).to_vector();
}

class MixedPrecision : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, MixedPrecision, testing::Values(DType::bfloat16, DType::float16),
                         [](const auto& param_info) { return std::string(name_of(param_info.param)); });

TEST_P(MixedPrecision, CastReturnsTheCopyOfAWeight) {
  const Tensor w = weight();
  EXPECT_FALSE(compute_copy(w).defined());
  keep_compute_copy(w, GetParam());
  EXPECT_EQ(cast(w, GetParam()).data(), compute_copy(w).data());
  EXPECT_EQ(cast(compute_copy(w), DType::float32).to_vector(), rounded(w, GetParam()));
  EXPECT_EQ(cast(w, DType::float32).data(), w.data());
  EXPECT_FALSE(compute_copy(w.detach()).defined());
}

TEST_P(MixedPrecision, AssignRenewsTheCopyAndMoveToDropsIt) {
  Tensor w = weight();
  keep_compute_copy(w, GetParam());
  w.assign(Tensor::full({2, 2}, 7.01f));
  EXPECT_EQ(cast(compute_copy(w), DType::float32).to_vector(), rounded(w, GetParam()));
  if (!Stream::available(Device::cuda)) return;
  w.move_to(Device::cuda);
  EXPECT_FALSE(compute_copy(w).defined());
}

TEST_P(MixedPrecision, AWeightWithACopyCollectsItsGradientInItsType) {
  const Tensor w = weight(), without_copy = weight();
  keep_compute_copy(w, GetParam());
  const Tensor dy = cast(Tensor::full({2, 2}, 3), GetParam());
  cast(w, GetParam()).backward(dy);
  EXPECT_EQ(gradient_dtype(w), GetParam());
  EXPECT_EQ(w.grad().dtype(), GetParam());
  cast(without_copy, GetParam()).backward(dy);
  EXPECT_EQ(without_copy.grad().dtype(), DType::float32);
  EXPECT_EQ(cast(w.grad(), DType::float32).to_vector(), without_copy.grad().to_vector());
}

TEST_P(MixedPrecision, BiasesGetNoCopy) {
  const Tensor bias = Tensor::zeros({3}).require_grad();
  keep_compute_copy(bias, GetParam());
  EXPECT_FALSE(compute_copy(bias).defined());
  EXPECT_EQ(gradient_dtype(bias), DType::float32);
}

}  // namespace
}  // namespace melgrad
