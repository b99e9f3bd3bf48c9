// The rules of framework/mixed_precision.h.
#include "framework/mixed_precision.h"

#include <gtest/gtest.h>

#include "framework/ops.h"

namespace melgrad {
namespace {

const std::vector<float> values{1.001f, -2.003f, 0.3f, 4};

Tensor weight() { return Tensor::from(values, {2, 2}).require_grad(); }

std::vector<float> rounded(const Tensor& x) {
  return cast(cast(x.clone(), DType::bfloat16), DType::float32).to_vector();
}

TEST(MixedPrecision, CastReturnsTheCopyOfAWeight) {
  const Tensor w = weight();
  EXPECT_FALSE(bfloat16_copy(w).defined());
  keep_bfloat16_copy(w);
  EXPECT_EQ(cast(w, DType::bfloat16).data(), bfloat16_copy(w).data());
  EXPECT_EQ(cast(bfloat16_copy(w), DType::float32).to_vector(), rounded(w));
  EXPECT_EQ(cast(w, DType::float32).data(), w.data());
  EXPECT_FALSE(bfloat16_copy(w.detach()).defined());
}

TEST(MixedPrecision, AssignRenewsTheCopyAndMoveToDropsIt) {
  Tensor w = weight();
  keep_bfloat16_copy(w);
  w.assign(Tensor::full({2, 2}, 7.01f));
  EXPECT_EQ(cast(bfloat16_copy(w), DType::float32).to_vector(), rounded(w));
  if (!Stream::available(Device::cuda)) return;
  w.move_to(Device::cuda);
  EXPECT_FALSE(bfloat16_copy(w).defined());
}

TEST(MixedPrecision, AWeightWithACopyCollectsItsGradientInBfloat16) {
  const Tensor w = weight(), without_copy = weight();
  keep_bfloat16_copy(w);
  const Tensor dy = cast(Tensor::full({2, 2}, 3), DType::bfloat16);
  cast(w, DType::bfloat16).backward(dy);
  EXPECT_EQ(gradient_dtype(w), DType::bfloat16);
  EXPECT_EQ(w.grad().dtype(), DType::bfloat16);
  cast(without_copy, DType::bfloat16).backward(dy);
  EXPECT_EQ(without_copy.grad().dtype(), DType::float32);
  EXPECT_EQ(cast(w.grad(), DType::float32).to_vector(), without_copy.grad().to_vector());
}

TEST(MixedPrecision, BiasesGetNoCopy) {
  const Tensor bias = Tensor::zeros({3}).require_grad();
  keep_bfloat16_copy(bias);
  EXPECT_FALSE(bfloat16_copy(bias).defined());
  EXPECT_EQ(gradient_dtype(bias), DType::float32);
}

}  // namespace
}  // namespace melgrad
