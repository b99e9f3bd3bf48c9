// The rules of framework/tensor.h, on graphs small enough to differentiate by hand.
#include <gtest/gtest.h>

#include "framework/ops.h"
#include "kernels/arithmetic.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

using Values = std::vector<float>;

Tensor leaf(const Values& values) { return Tensor::from(values, {static_cast<int64_t>(values.size())}).require_grad(); }

// y = factor * x. Different factors distinguish the uses of a tensor in its gradient.
Tensor times(const Tensor& x, float factor) {
  const auto multiply = [factor = Tensor::full({}, factor)](const Tensor& values) {
    Tensor result = Tensor::empty(values.shape());
    kernel::scale(values.stream(), values.data(), factor.as<float>(), result.data(), DType::float32, values.numel());
    return result;
  };
  return multiply(x).record("times", {x}, [multiply](const Tensor& dy) { return std::vector{multiply(dy)}; });
}

size_t used() { return Stream::of(Device::cpu).memory().used; }

TEST(Autograd, AddsUpTheUsesOfATensorUsedTwice) {
  const Tensor x = leaf({1, -2});
  add(x, x).backward(Tensor::from(Values{3, 5}, {2}));
  EXPECT_EQ(x.grad().to_vector(), (Values{6, 10}));
}

TEST(Autograd, AddsUpTheUsesOfATensorUsedThrice) {
  const Tensor x = leaf({1, -2});
  add(add(x, x), x).backward(Tensor::from(Values{3, 5}, {2}));
  EXPECT_EQ(x.grad().to_vector(), (Values{9, 15}));
}

TEST(Autograd, AddsUpUsesThroughReshapedForms) {
  const Tensor x = leaf({1, 2, 3, 4});
  const Tensor square = reshape(x, {2, 2}), column = reshape(x, {4, 1});
  const Tensor sum = add(add(square, reshape(column, {2, 2})), reshape(times(x, 10), {2, 2}));
  sum.backward(Tensor::from(Values{1, 2, 3, 4}, {2, 2}));
  EXPECT_EQ(x.grad().shape(), Shape({4}));
  EXPECT_EQ(x.grad().to_vector(), (Values{12, 24, 36, 48}));
}

TEST(Autograd, AddsUpTheBranchesOfADiamond) {
  const Tensor x = leaf({1});
  const Tensor middle = times(x, 2);
  add(times(middle, 3), add(times(middle, 5), middle)).backward();
  EXPECT_EQ(x.grad().item(), 2 * (3 + 5 + 1));
}

// In a topological order the gradient of the late use is added before the pass continues from `early`.
TEST(Autograd, WaitsForTheLongestPathToATensor) {
  const Tensor x = leaf({1});
  const Tensor early = times(x, 2);
  Tensor late = early;
  for (int i = 0; i < 5; ++i) late = times(late, 3);
  add(early, late).backward();
  EXPECT_EQ(x.grad().item(), 2 * (1 + 243));
}

// add() returns one handle as the gradient of both inputs. Adding to one gradient must not change the other.
TEST(Autograd, KeepsGradientsOfSeveralInputsApart) {
  const Tensor a = leaf({1}), b = leaf({2});
  add(a, b).backward(Tensor::from(Values{7}, {1}));
  add(a, times(b, 2)).backward(Tensor::from(Values{10}, {1}));
  EXPECT_EQ(a.grad().item(), 17);
  EXPECT_EQ(b.grad().item(), 27);
}

TEST(Autograd, DoesNotChangeTheGivenGradient) {
  const Tensor x = leaf({1, 2}), dy = Tensor::from(Values{3, 5}, {2});
  add(x, times(x, 2)).backward(dy);
  add(x, x).backward(dy);
  EXPECT_EQ(dy.to_vector(), (Values{3, 5}));
  EXPECT_EQ(x.grad().to_vector(), (Values{15, 25}));
}

TEST(Autograd, AddsToTheGradientOfEarlierCallsUntilItIsDropped) {
  Tensor x = leaf({1});
  EXPECT_FALSE(x.grad().defined());
  for (const float expected : {2.0f, 4.0f, 6.0f}) {
    times(x, 2).backward();
    EXPECT_EQ(x.grad().item(), expected);
  }
  x.zero_grad();
  EXPECT_FALSE(x.grad().defined());
  times(x, 2).backward();
  EXPECT_EQ(x.grad().item(), 2);
}

TEST(Autograd, DoesNotChangeAGradientThatHasAnotherOwner) {
  const Tensor x = leaf({1, 2}), ones = Tensor::full({2}, 1);
  times(x, 2).backward(ones);
  const Tensor handle = x.grad(), view = x.grad().view({2, 1});
  times(x, 3).backward(ones);
  EXPECT_EQ(handle.to_vector(), (Values{2, 2}));
  EXPECT_EQ(view.to_vector(), (Values{2, 2}));
  EXPECT_EQ(x.grad().to_vector(), (Values{5, 5}));
}

TEST(Autograd, ReusesTheBufferOfAGradientWithOneOwner) {
  const Tensor x = leaf({1, 2}), ones = Tensor::full({2}, 1);
  times(x, 2).backward(ones);
  const void* address = x.grad().data();
  times(x, 3).backward(ones);
  EXPECT_EQ(x.grad().data(), address);
}

TEST(Autograd, GivesNoGradientToTensorsThatRequireNone) {
  const Tensor x = leaf({1}), constant = Tensor::full({1}, 5);
  const Tensor y = add(x, constant);
  EXPECT_TRUE(y.requires_grad());
  EXPECT_FALSE(add(constant, constant).requires_grad());
  y.backward();
  EXPECT_EQ(x.grad().item(), 1);
  EXPECT_FALSE(constant.grad().defined());
  EXPECT_FALSE(y.grad().defined());  // only leaves keep gradients
}

TEST(Autograd, StopsAtDetachedTensorsAndPlainViews) {
  const Tensor x = leaf({3});
  EXPECT_FALSE(times(x, 2).detach().requires_grad());
  EXPECT_FALSE(x.view({1, 1}).requires_grad());
  EXPECT_EQ(x.detach().data(), x.data());
  add(times(x, 2).detach(), x).backward();
  EXPECT_EQ(x.grad().item(), 1);
}

TEST(Autograd, RecordsNothingUnderNoGrad) {
  const Tensor x = leaf({3});
  {
    const NoGrad outer;
    {
      const NoGrad inner;
      EXPECT_FALSE(times(x, 2).requires_grad());
    }
    EXPECT_FALSE(times(x, 2).requires_grad());
  }
  EXPECT_TRUE(times(x, 2).requires_grad());
}

TEST(Autograd, KeepsNoActivationUnderNoGrad) {
  const Tensor x = leaf(Values(1000, 1));
  const NoGrad guard;
  const size_t before = used();
  Tensor y = relu(x);
  const size_t one = used() - before;
  for (int i = 0; i < 5; ++i) y = relu(y);
  EXPECT_EQ(used() - before, one);
}

TEST(Autograd, CollectsTheGradientOfARootThatIsALeaf) {
  const Tensor x = leaf({3, 4});
  x.backward(Tensor::from(Values{5, 6}, {2}));
  EXPECT_EQ(x.grad().to_vector(), (Values{5, 6}));
}

TEST(Autograd, RefusesASecondBackward) {
  const Tensor x = leaf({1});
  const Tensor middle = times(x, 2), y = times(middle, 3);
  y.backward();
  expect_error([&] { y.backward(); }, "run the forward pass again");
  // A new op on a freed part of the graph cannot reach the leaves either; the error comes before any gradient changes.
  expect_error([&] { add(x, middle).backward(); }, "at op times");
  EXPECT_EQ(x.grad().item(), 6);
}

TEST(Autograd, NamesTheOpThatReturnsAWrongGradient) {
  const Tensor x = leaf({1, 2});
  const auto returning = [&](const std::vector<Tensor>& gradients) {
    const Tensor y = Tensor::zeros({2}).record("faulty", {x}, [gradients](const Tensor&) { return gradients; });
    return [y] { y.backward(Tensor::zeros({2})); };
  };
  expect_error(returning({}), "faulty returned 0 gradients for 1 inputs");
  expect_error(returning({Tensor::zeros({2}), Tensor::zeros({2})}), "faulty returned 2 gradients");
  expect_error(returning({Tensor()}), "faulty returned no gradient for an input of shape [2]");
  expect_error(returning({Tensor::zeros({2, 1})}), "faulty: gradient is float32 [2, 1] on cpu");
  expect_error(returning({Tensor::zeros({2}, DType::bfloat16)}), "faulty: gradient is bfloat16 [2] on cpu");
}

TEST(Autograd, RefusesWrongRootsAndGradients) {
  const Tensor x = leaf({1, 2});
  expect_error([&] { x.detach().backward(Tensor::zeros({2})); }, "requires no gradient");
  expect_error([&] { add(x, x).backward(); }, "needs a tensor of one element, got shape [2]");
  expect_error([&] { add(x, x).backward(Tensor::zeros({3})); }, "backward: gradient is float32 [3]");
  expect_error([&] { add(x, x).require_grad(); }, "require_grad is for leaves; this tensor is the output of add");
  expect_error([] { Tensor().backward(); }, "undefined tensor");
}

TEST(Autograd, FreesActivationsDuringTheBackwardPass) {
  const Tensor x = leaf(Values(1000, 1));
  std::vector<size_t> used_at;
  const auto probe = [&](const Tensor& y) {
    return y.detach().record("probe", {y}, [&used_at](const Tensor& dy) {
      used_at.push_back(used());
      return std::vector{dy};
    });
  };
  const size_t before = used();
  {
    Tensor y = probe(x);
    for (int i = 0; i < 10; ++i) y = probe(relu(y));
    const Tensor root = std::move(y);
    const Tensor dy = Tensor::full({1000}, 1);
    root.backward(dy);
    for (size_t i = 2; i < used_at.size(); ++i) EXPECT_LT(used_at[i], used_at[i - 1]) << "after " << i << " probes";
  }
  EXPECT_EQ(used() - before, x.grad().bytes() / 1000 * 1024);  // only the gradient of x is left; 1024: see size_class
}

TEST(Autograd, FreesAGraphWithoutABackwardPass) {
  const Tensor x = leaf(Values(1000, 1));
  const size_t before = used();
  {
    const Tensor y = add(relu(x), reshape(relu(reshape(x, {10, 100})), {1000}));
    EXPECT_GT(used(), before);
  }
  EXPECT_EQ(used(), before);
}

TEST(Autograd, FreesAGraphWhoseBackwardPassFailed) {
  const Tensor x = leaf(Values(1000, 1));
  const size_t before = used();
  {
    const Tensor faulty =
        relu(x)
            .record("identity", {}, {})
            .detach()
            .record("faulty", {relu(x)}, [](const Tensor&) -> std::vector<Tensor> { fail("on purpose"); });
    expect_error([&] { relu(faulty).backward(Tensor::full({1000}, 1)); }, "on purpose");
  }
  EXPECT_EQ(used(), before);
  EXPECT_FALSE(x.grad().defined());
}

Tensor chain(const Tensor& x, int length) {
  Tensor y = x;
  for (int i = 0; i < length; ++i) y = add(y, y.numel() == 1 && i % 2 == 0 ? x : x.detach());
  return y;
}

constexpr int deep = 100'000;  // a recursive backward pass or destructor would overflow the stack

TEST(Autograd, DifferentiatesADeepGraph) {
  const Tensor x = leaf({1});
  chain(x, deep).backward();
  EXPECT_EQ(x.grad().item(), 1 + deep / 2);
}

TEST(Autograd, FreesADeepGraphWithoutABackwardPass) {
  const Tensor x = leaf({1});
  const size_t before = used();
  { const Tensor y = chain(x, deep); }
  EXPECT_EQ(used(), before);
}

TEST(Autograd, FreesADeepGraphInWhichEveryTensorIsUsedTwice) {
  sum(leaf({0})).backward();  // the first call makes the gradient of a scalar, which stays
  Tensor y = leaf({0});
  const size_t before = used();
  for (int i = 0; i < deep; ++i) y = add(y, y);
  y.backward();
  y = leaf({0});
  for (int i = 0; i < deep; ++i) y = add(y, y);
  y = {};
  EXPECT_EQ(used(), before - 64);
}

}  // namespace
}  // namespace melgrad::test
