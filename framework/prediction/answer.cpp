#include "framework/prediction/answer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace melgrad {

Answer AnswerRule::answer(double begin, double end, std::vector<float> probabilities) const {
  const auto most = std::max_element(probabilities.begin(), probabilities.end());
  const bool sure = static_cast<double>(*most) >= unsure;
  Answer result{.begin = begin,
                .end = end,
                .label = sure ? labels[static_cast<size_t>(most - probabilities.begin())] : unsure_label,
                .probability = *most};
  result.probabilities = std::move(probabilities);
  return result;
}

double rounded(double value, int decimals) {
  const double scale = std::pow(10, decimals);
  return std::round(value * scale) / scale;
}

}  // namespace melgrad
