// Receiver operating characteristic (Fawcett 2006) of one class against all others.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace melgrad {

struct RocPoint {
  double false_positive_rate = 0, true_positive_rate = 0;
};

struct RocCurve {
  std::vector<RocPoint> points;  // from (0, 0) to (1, 1), one after each distinct score
  double area = 0;               // under the curve; a tie of a positive and a negative example counts one half
};

// scores[i] is high for examples that the classifier takes for the class; positive[i] tells whether example i belongs
// to it. Empty if there are no positive or no negative examples. Throws Error if the lengths differ.
std::optional<RocCurve> roc_curve(std::span<const double> scores, const std::vector<bool>& positive);

}  // namespace melgrad
