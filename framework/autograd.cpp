// The autograd engine: records each op as a node, walks the nodes backwards, adds up gradients and frees the graph
// during the walk.
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "framework/mixed_precision.h"
#include "framework/tensor_impl.h"
#include "kernels/arithmetic.h"

namespace melgrad {
namespace {

thread_local bool recording = true;

}  // namespace

NoGrad::NoGrad() : previous_(recording) { recording = false; }
NoGrad::~NoGrad() { recording = previous_; }
bool NoGrad::active() { return !recording; }

Tensor Tensor::record(const char* op, std::vector<Tensor> inputs, Backward backward) const {
  attach(op, std::move(inputs), false,
         [backward = std::move(backward)](const Tensor& dy, const Tensor&) { return backward(dy); });
  return *this;
}

Tensor Tensor::record_joining(const char* op, std::vector<Tensor> inputs, JoiningBackward backward) const {
  attach(op, std::move(inputs), true, std::move(backward));
  return *this;
}

void Tensor::attach(const char* op, std::vector<Tensor> inputs, bool joins, JoiningBackward backward) const {
  if (!recording) return;
  bool needed = false;
  for (const Tensor& input : inputs) needed = needed || (input.defined() && input.requires_grad());
  if (!needed) return;
  impl().node = std::make_unique<Node>(op, std::move(inputs), std::move(backward), joins);
  impl().requires_grad = true;
}

// A recursive destructor would overflow the stack in a deep graph. So a loop destroys all nodes that only this node
// keeps alive, and takes the inputs of each node away before it destroys the node.
Tensor::Node::~Node() {
  std::vector<std::unique_ptr<Node>> orphans;
  const auto strip = [&orphans](Node& node) {
    node.backward = nullptr;  // its captures may hold inputs too
    for (Tensor& handle : node.inputs) {
      const Tensor input = std::move(handle);
      if (input.impl_.use_count() != 1 || !input.impl_->node) continue;
      try {
        orphans.push_back(std::move(input.impl_->node));
      } catch (const std::bad_alloc&) {  // the tensor keeps its node and destroys it
      }
    }
  };
  strip(*this);
  while (!orphans.empty()) {
    const std::unique_ptr<Node> orphan = std::move(orphans.back());
    orphans.pop_back();
    strip(*orphan);
  }
}

class BackwardPass {
 public:
  void run(const Tensor& root, const Tensor& dy) {
    check_gradient(root, dy, "backward");
    const ProfilerRange range(root.stream(), "backward", RangeKind::phase);
    collect(root);
    gradients_[root.impl_.get()].sum = dy;
    while (!order_.empty()) {
      // When this handle goes out of scope, the output and what only its node held are freed.
      const Tensor output = std::move(order_.back());
      order_.pop_back();
      step(output);
    }
  }

 private:
  // Depth-first search: order_ lists every tensor after all tensors that it was computed from. The stack is explicit
  // because recursion would overflow the thread's stack in a deep graph.
  void collect(const Tensor& root) {
    std::vector<std::pair<Tensor, size_t>> stack;
    std::unordered_set<const Tensor::Impl*> seen;
    const auto enter = [&](const Tensor& tensor) {
      if (!tensor.defined() || !tensor.requires_grad() || !seen.insert(tensor.impl_.get()).second) return;
      const auto& node = tensor.impl().node;
      MELGRAD_CHECK(
          !node || !node->consumed,
          "backward() through a graph that an earlier backward() consumed, at op {}; run the forward pass again",
          node->op);
      stack.emplace_back(tensor, 0);
    };
    enter(root);
    while (!stack.empty()) {
      auto& [tensor, next] = stack.back();
      const auto& node = tensor.impl().node;
      if (node && next < node->inputs.size()) {
        enter(node->inputs[next++]);
      } else {
        order_.push_back(std::move(tensor));
        stack.pop_back();
      }
    }
  }

  void step(const Tensor& output) {
    const auto entry = gradients_.find(output.impl_.get());
    if (entry == gradients_.end()) return;  // every use was an input that needed no gradient
    auto [dy, second_dy] = std::move(entry->second);
    gradients_.erase(entry);
    Tensor::Impl& impl = output.impl();
    if (!impl.node) return accumulate(impl.grad, std::move(dy));

    Tensor::Node& node = *impl.node;
    node.consumed = true;
    const JoiningBackward backward = std::exchange(node.backward, nullptr);
    const std::vector<Tensor> inputs = std::exchange(node.inputs, {});
    const ProfilerRange range(output.stream(), node.op, RangeKind::op);
    std::vector<Tensor> input_gradients = backward(dy, second_dy);
    MELGRAD_CHECK(input_gradients.size() == inputs.size(), "{} returned {} gradients for {} inputs", node.op,
                  input_gradients.size(), inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined() || !inputs[i].requires_grad()) continue;
      check_gradient(inputs[i], input_gradients[i], node.op);
      collect_gradient(inputs[i], std::move(input_gradients[i]));
    }
  }

  // Keeps the second gradient of a tensor apart if the op that computed it adds the two.
  void collect_gradient(const Tensor& input, Tensor gradient) {
    auto& [sum, second] = gradients_[input.impl_.get()];
    const auto& node = input.impl().node;
    if (node && node->joins && sum.defined() && !second.defined()) {
      second = std::move(gradient);
    } else {
      accumulate(sum, std::move(gradient));
    }
  }

  // Adds in place only when the engine is the sole owner of both the handle and the buffer: a backward function may
  // return one gradient for two inputs, or a view of a tensor that it keeps.
  static void accumulate(Tensor& sum, Tensor gradient) {
    if (!sum.defined()) {
      sum = std::move(gradient);
      return;
    }
    const bool sole_owner = sum.impl_.use_count() == 1 && sum.impl().buffer.use_count() == 1;
    const Tensor total = sole_owner ? sum : Tensor::empty(sum.shape(), sum.dtype(), sum.device());
    kernel::add(sum.stream(), sum.data(), gradient.data(), total.data(), sum.dtype(), sum.numel());
    sum = total;
  }

  static void check_gradient(const Tensor& tensor, const Tensor& gradient, const char* op) {
    MELGRAD_CHECK(gradient.defined(), "{} returned no gradient for an input of shape {}", op, tensor.shape());
    const DType dtype = gradient_dtype(tensor);
    MELGRAD_CHECK(
        gradient.shape() == tensor.shape() && gradient.dtype() == dtype && gradient.device() == tensor.device(),
        "{}: gradient is {} {} on {}, expected {} {} on {}", op, name_of(gradient.dtype()), gradient.shape(),
        name_of(gradient.device()), name_of(dtype), tensor.shape(), name_of(tensor.device()));
  }

  std::vector<Tensor> order_;
  struct Gradient {
    Tensor sum, second;  // the gradient is their sum
  };
  std::unordered_map<const Tensor::Impl*, Gradient> gradients_;
};

namespace {

// The gradient of a scalar with respect to itself. It is uploaded once per device.
Tensor one_on(Device device) {
  static std::mutex mutex;
  static std::map<Device, Tensor> ones;
  const std::lock_guard lock(mutex);
  Tensor& one = ones[device];
  if (!one.defined()) one = Tensor::full({}, 1.0f, device);
  return one;
}

}  // namespace

void Tensor::backward() const {
  MELGRAD_CHECK(
      numel() == 1,
      "backward() without a gradient needs a tensor of one element, got shape {}; pass the gradient or use mean()",
      shape());
  backward(one_on(device()).view(shape()));
}

void Tensor::backward(const Tensor& dy) const {
  MELGRAD_CHECK(requires_grad(), "backward() from a tensor that requires no gradient");
  BackwardPass().run(*this, dy);
}

}  // namespace melgrad
