#include "framework/prediction/segment_smoother.h"

#include <algorithm>
#include <utility>

namespace melgrad {

SegmentSmoother::SegmentSmoother(AnswerRule rule, double shortest) : rule_(std::move(rule)), shortest_(shortest) {}

void SegmentSmoother::Sum::add(const Sum& later) {
  if (later.steps == 0) return;
  if (steps == 0) {
    begin = later.begin;
    probabilities.resize(later.probabilities.size());
  }
  end = later.end;
  steps += later.steps;
  for (size_t i = 0; i < probabilities.size(); ++i) probabilities[i] += later.probabilities[i];
}

std::optional<Answer> SegmentSmoother::add(const Answer& step) {
  const Sum one{.begin = step.begin,
                .end = step.end,
                .label = step.label,
                .steps = 1,
                .probabilities = {step.probabilities.begin(), step.probabilities.end()}};
  if (step.label != run_.label) {
    current_.add(std::exchange(run_, {}));
    run_.label = step.label;
  }
  run_.add(one);
  if (run_.label == current_.label) {
    current_.add(std::exchange(run_, {}));
    return std::nullopt;
  }
  constexpr double tolerance = 1e-6;  // seconds: the ends of steps are rounded
  if (run_.end - run_.begin < shortest_ - tolerance) return std::nullopt;
  const Sum ended = std::exchange(current_, std::exchange(run_, {}));
  if (!ended.label.empty()) return segment(ended);
  // The steps before the first label belong to the first segment.
  const Sum first = std::exchange(current_, ended);
  current_.add(first);
  current_.label = first.label;
  return std::nullopt;
}

std::optional<Answer> SegmentSmoother::finish() {
  current_.add(std::exchange(run_, {}));
  if (current_.steps == 0) return std::nullopt;
  return segment(std::exchange(current_, {}));
}

Answer SegmentSmoother::segment(const Sum& sum) const {
  std::vector<float> means;
  for (const double total : sum.probabilities)
    means.push_back(static_cast<float>(total / static_cast<double>(sum.steps)));
  Answer answer = rule_.answer(sum.begin, sum.end, std::move(means));
  if (sum.label.empty()) return answer;
  answer.label = sum.label;
  const auto label = std::ranges::find(rule_.labels, sum.label);
  if (label != rule_.labels.end()) {
    answer.probability = answer.probabilities[static_cast<size_t>(label - rule_.labels.begin())];
  }
  return answer;
}

}  // namespace melgrad
