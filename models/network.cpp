#include "models/network.h"

#include "framework/ops.h"
#include "models/statistics_classifier.h"

namespace melgrad {

void Network::add_statistics(int64_t classes) { statistics_ = &child<StatisticsClassifier>("statistics", classes); }

Tensor Network::forward(const Tensor& x) {
  const Tensor of_layers = logits(x);
  if (training() || !statistics_) return of_layers;
  const Tensor half = Tensor::full(of_layers.shape(), 0.5f, x.device());
  return half * (cast(of_layers, DType::float32) + (*statistics_)(x));
}

}  // namespace melgrad
