#include "framework/training/roc.h"

#include <algorithm>
#include <numeric>

#include "kernels/device/error.h"

namespace melgrad {

std::optional<RocCurve> roc_curve(std::span<const double> scores, const std::vector<bool>& positive) {
  MELGRAD_CHECK(scores.size() == positive.size(), "{} scores for {} examples", scores.size(), positive.size());
  const auto positives = static_cast<double>(std::ranges::count(positive, true));
  const double negatives = static_cast<double>(positive.size()) - positives;
  if (positives == 0 || negatives == 0) return std::nullopt;

  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });

  RocCurve curve{.points = {{}}};
  double hits = 0, false_alarms = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    (positive[order[i]] ? hits : false_alarms) += 1;
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]]) continue;
    const RocPoint last = curve.points.back();
    const RocPoint point{.false_positive_rate = false_alarms / negatives, .true_positive_rate = hits / positives};
    curve.area += (point.false_positive_rate - last.false_positive_rate) *
                  (point.true_positive_rate + last.true_positive_rate) / 2;
    curve.points.push_back(point);
  }
  return curve;
}

}  // namespace melgrad
