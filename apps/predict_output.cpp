#include "apps/predict_output.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apps/command.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

using nlohmann::ordered_json;

// The indices of the most probable classes.
std::vector<size_t> ranking(const Answer& answer, int top) {
  std::vector<size_t> order(answer.probabilities.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::ranges::greater(), [&](size_t i) { return answer.probabilities[i]; });
  order.resize(std::min(order.size(), static_cast<size_t>(top)));
  return order;
}

class TextWriter final : public PredictionWriter {
 public:
  TextWriter(std::vector<std::string> labels, int top) : labels_(std::move(labels)), top_(top) {}

  void add(const Input& input, const Answer& answer) override {
    std::string line = one_line(input.path.string()) + ":";
    if (answer.label == unsure_label) line += std::string("  ") + unsure_label;
    for (const size_t i : ranking(answer, top_))
      line += fmt::format("  {} {:.3f}", labels_[i], answer.probabilities[i]);
    fmt::print("{}\n", line);
    flush_output();
  }

 private:
  std::vector<std::string> labels_;
  int top_;
};

class SegmentTextWriter final : public PredictionWriter {
 public:
  explicit SegmentTextWriter(bool several_inputs) : several_inputs_(several_inputs) {}

  void add(const Input& input, const Answer& segment) override {
    if (several_inputs_ && previous_ != input.path) fmt::print("{}:\n", one_line(input.path.string()));
    previous_ = input.path;
    fmt::print("{}-{} {} {:.2f}\n", clock_time_with_tenths(segment.begin), clock_time_with_tenths(segment.end),
               segment.label, segment.probability);
    flush_output();
  }

 private:
  bool several_inputs_;
  std::optional<std::filesystem::path> previous_;
};

class JsonWriter final : public PredictionWriter {
 public:
  JsonWriter(std::vector<std::string> labels, int top, bool timeline)
      : labels_(std::move(labels)), top_(top), timeline_(timeline) {}

  void add(const Input& input, const Answer& answer) override {
    if (timeline_) {
      segments_.push_back({{"start_s", rounded(answer.begin, 3)},
                           {"end_s", rounded(answer.end, 3)},
                           {"label", answer.label},
                           {"probability", rounded(static_cast<double>(answer.probability), 6)}});
      return;
    }
    ordered_json predictions = ordered_json::array();
    for (const size_t i : ranking(answer, top_)) {
      predictions.push_back({{"label", labels_[i]}, {"probability", answer.probabilities[i]}});
    }
    results_.push_back(
        {{"file", input.path.string()}, {"label", answer.label}, {"predictions", std::move(predictions)}});
  }

  void end(const Input& input, double seconds) override {
    if (!timeline_) return;
    results_.push_back({{"file", input.path.string()},
                        {"seconds", rounded(seconds, 3)},
                        {"segments", std::exchange(segments_, ordered_json::array())}});
  }

  void fail(const Input& input, const std::string& message) override {
    ordered_json result{{"file", input.path.string()}, {"error", message}};
    if (!segments_.empty()) result["segments"] = std::exchange(segments_, ordered_json::array());
    results_.push_back(std::move(result));
  }

  void finish() override { print_json(results_); }

 private:
  std::vector<std::string> labels_;
  int top_;
  bool timeline_;
  ordered_json results_ = ordered_json::array(), segments_ = ordered_json::array();
};

}  // namespace

std::unique_ptr<PredictionWriter> text_writer(const std::vector<std::string>& labels, int top) {
  return std::make_unique<TextWriter>(labels, top);
}

std::unique_ptr<PredictionWriter> segment_text_writer(bool several_inputs) {
  return std::make_unique<SegmentTextWriter>(several_inputs);
}

std::unique_ptr<PredictionWriter> json_writer(const std::vector<std::string>& labels, int top, bool timeline) {
  return std::make_unique<JsonWriter>(labels, top, timeline);
}

void print_step(const Answer& step) {
  constexpr int width = 20;  // characters
  const int filled = std::clamp(static_cast<int>(std::lround(step.probability * static_cast<float>(width))), 0, width);
  fmt::print("{:>8} |{:<{}}| {} {:.2f}\n", clock_time_with_tenths(step.begin),
             std::string(static_cast<size_t>(filled), '#'), width, step.label, step.probability);
  flush_output();
}

std::string clock_time_with_tenths(double seconds) {
  const auto tenths = std::llround(seconds * 10);
  const auto whole = tenths / 10;
  std::string text = clock_time(static_cast<double>(whole));
  if (tenths % 10 != 0) text += fmt::format(".{}", tenths % 10);
  return text;
}

}  // namespace melgrad
