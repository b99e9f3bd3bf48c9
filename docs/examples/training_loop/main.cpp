// Trains a small network to tell two spirals apart, with a training loop written out: forward, loss, backward, step.
#include <melgrad/framework/layers.h>
#include <melgrad/framework/optimizer.h>

#include <cmath>
#include <cstdio>

using namespace melgrad;

constexpr int64_t points = 200, classes = 2;

int main() try {
  // Point i is on spiral i % 2; the second spiral is the first one rotated by half a turn.
  std::vector<float> coordinates, one_hot(points * classes);
  for (int64_t i = 0; i < points; ++i) {
    const float radius = 0.1f + static_cast<float>(i) / points,
                angle = 10 * radius + 3.14159f * static_cast<float>(i % 2);
    coordinates.insert(coordinates.end(), {radius * std::cos(angle), radius * std::sin(angle)});
    one_hot[static_cast<size_t>(i * classes + i % 2)] = 1;
  }
  const Device device = Stream::available(Device::cuda) ? Device::cuda : Device::cpu;
  const Tensor x = Tensor::from(coordinates, {points, 2}, device);
  const Tensor targets = Tensor::from(one_hot, {points, classes}, device);

  manual_seed(1);
  Sequential model;
  model.add<Linear>(2, 64).add<ReLU>().add<Linear>(64, 64).add<ReLU>().add<Linear>(64, classes);
  model.move_to(device);
  Sgd optimizer({{.parameters = model.parameters()}}, {.momentum = 0.9f});

  for (int step = 1; step <= 500; ++step) {
    const Tensor logits = model(x);
    const Tensor loss = cross_entropy(logits, targets);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step(0.1f);
    if (step % 100 > 0) continue;

    const std::vector<float> values = logits.to_vector();
    int correct = 0;
    for (size_t i = 0; i < points; ++i) correct += (values[2 * i + 1] > values[2 * i]) == (i % 2 == 1);
    std::printf("step %d: loss %.4f, accuracy %.3f\n", step, static_cast<double>(loss.item()),
                correct / double{points});
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "training_loop: %s\n", error.what());
  return 1;
}
