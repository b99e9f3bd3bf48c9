#include "models/onnx_statistics.h"

#include <algorithm>

#include "kernels/band_statistics.h"
#include "kernels/device/ceil_divide.h"
#include "models/statistics_classifier.h"

namespace melgrad {
namespace {

using Integers = std::vector<int64_t>;

constexpr int64_t bands = StatisticsClassifier::bands;
constexpr int64_t longest_group = 32;

// Appends operators that compute on values [N, 1, bands, frames].
class StatisticsWriter {
 public:
  StatisticsWriter(OnnxModel& graph, int64_t frames) : graph_(graph), frames_(frames) {}

  // [N, 1, n_mels, frames] -> the mean of the mel bins of each band.
  std::string average_bins(const std::string& x, int64_t n_mels) {
    const kernel::BandStatistics size{.images = 1, .n_mels = n_mels, .frames = frames_, .bands = bands};
    std::vector<float> shares(static_cast<size_t>(bands * n_mels));
    for (int64_t band = 0; band < bands; ++band) {
      const kernel::AdaptiveWindow bins = size.bins(band);
      for (int64_t bin = bins.begin; bin < bins.end; ++bin) {
        shares[static_cast<size_t>(band * n_mels + bin)] = 1 / static_cast<float>(bins.size());
      }
    }
    return graph_.add("MatMul", {graph_.constant("statistics.bins", {bands, n_mels}, std::move(shares)), x});
  }

  // The means of groups of `size` values along the last axis; each value already stands for `frames_of_value` frames,
  // the last one for fewer if the frames end there.
  std::string group_means(const std::string& values, int64_t size, int64_t frames_of_value) {
    const int64_t count = ceil_divide(frames_, frames_of_value), groups = ceil_divide(count, size);
    const std::string prefix = "statistics.groups_of_" + std::to_string(size * frames_of_value) + ".";
    const std::string sums =
        graph_.add("Mul", {values, graph_.constant(prefix + "weights", {count}, weights(frames_of_value))});
    const std::string padding =
        graph_.constant(prefix + "padding", {8}, Integers{0, 0, 0, 0, 0, 0, 0, groups * size - count});
    const std::string padded = graph_.add("Pad", {sums, padding});
    const std::string shape = graph_.constant(prefix + "shape", {5}, Integers{0, 1, bands, groups, size});
    const std::string grouped = graph_.add("Reshape", {padded, shape});
    const std::string total = graph_.add("ReduceSum", {grouped, axis(4)}, {{"keepdims", int64_t{0}}});
    return graph_.add("Div", {total, graph_.constant(prefix + "frames", {groups}, weights(size * frames_of_value))});
  }

  // Repeats each value of groups of `size` fine values, so that it lies beside them.
  std::string beside(const std::string& means, int64_t size, int64_t fine_frames) {
    const int64_t count = ceil_divide(frames_, fine_frames);
    Integers places(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) places[static_cast<size_t>(i)] = i / size;
    const std::string name = "statistics.places_" + std::to_string(size * fine_frames);
    return graph_.add("Gather", {means, graph_.constant(name, {count}, std::move(places))}, {{"axis", int64_t{3}}});
  }

  // log(deviation + 0.01), where the deviation is the root of the mean over all frames of the squared differences. Each
  // difference stands for `frames_of_value` frames. [N, 1, bands, count] -> [N, bands].
  std::string log_deviation(const std::string& differences, int64_t frames_of_value) {
    std::vector<float> shares = weights(frames_of_value);
    for (float& share : shares) share /= static_cast<float>(frames_);
    const auto count = std::ssize(shares);
    const std::string name = "statistics.shares_" + std::to_string(frames_of_value);
    const std::string squares = graph_.add("Mul", {differences, differences});
    const std::string mean = graph_.add("MatMul", {squares, graph_.constant(name, {count, 1}, std::move(shares))});
    const std::string deviation = graph_.add("Sqrt", {mean});
    return flat(graph_.add("Log", {graph_.add("Add", {deviation, "statistics.floor"})}));
  }

  // The mean over all frames of values that stand for `frames_of_value` frames: [N, 1, bands, 1].
  std::string mean(const std::string& values) {
    return graph_.add("ReduceMean", {values}, {{"axes", Integers{3}}, {"keepdims", int64_t{1}}});
  }

  std::string flat(const std::string& x) { return graph_.add("Flatten", {x}, {{"axis", int64_t{1}}}); }

 private:
  // The frames that each value stands for.
  std::vector<float> weights(int64_t frames_of_value) const {
    std::vector<float> result;
    for (int64_t first = 0; first < frames_; first += frames_of_value) {
      result.push_back(static_cast<float>(std::min(frames_of_value, frames_ - first)));
    }
    return result;
  }
  std::string axis(int64_t number) {
    if (axis_.empty()) axis_ = graph_.constant("statistics.axis", {1}, Integers{number});
    return axis_;
  }

  OnnxModel& graph_;
  int64_t frames_;
  std::string axis_;
};

}  // namespace

std::string append_statistics_classifier(OnnxModel& graph, const Module& classifier, const std::string& x,
                                         int64_t n_mels, int64_t frames) {
  StatisticsWriter writer(graph, frames);
  graph.constant("statistics.floor", {}, std::vector{0.01f});
  std::string fine = writer.average_bins(x, n_mels);
  const std::string mean = writer.mean(fine);
  std::vector<std::string> statistics{writer.flat(mean)};
  int64_t frames_of_value = 1;
  for (const int64_t size : {2, 4, 4}) {
    const std::string coarse = writer.group_means(fine, size, frames_of_value);
    const std::string differences = graph.add("Sub", {fine, writer.beside(coarse, size, frames_of_value)});
    statistics.push_back(writer.log_deviation(differences, frames_of_value));
    frames_of_value *= size;
    fine = coarse;
  }
  statistics.push_back(writer.log_deviation(graph.add("Sub", {fine, mean}), longest_group));
  const std::string all = graph.add("Concat", statistics, {{"axis", int64_t{1}}});
  const std::string name = classifier.name();
  return graph.add("Gemm", {all, name + ".weight", name + ".bias"}, {{"transB", int64_t{1}}}, name);
}

}  // namespace melgrad
