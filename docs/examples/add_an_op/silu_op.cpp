#include "docs/examples/add_an_op/silu_op.h"

#include "docs/examples/add_an_op/silu.h"

namespace melgrad {

Tensor silu(const Tensor& x) {
  Tensor y = Tensor::empty_like(x);
  kernel::silu_forward(x.stream(), x.data(), y.data(), x.dtype(), x.numel());
  return y.record("silu", {x}, [x = x.detach()](const Tensor& dy) {
    Tensor dx = Tensor::empty_like(dy);
    kernel::silu_backward(dy.stream(), x.data(), dy.data(), dx.data(), dy.dtype(), dy.numel());
    return std::vector{dx};
  });
}

}  // namespace melgrad
