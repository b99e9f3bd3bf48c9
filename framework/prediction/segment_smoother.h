// Joins the answers about equal steps of a recording to segments with one label each. A segment is final as soon as it
// is returned: nothing that follows changes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/prediction/answer.h"

namespace melgrad {

// A new segment begins where a label other than that of the current segment begins to last for `shortest` seconds.
// Shorter deviations stay in the current segment. The first segment has the label that first lasts that long, and
// begins at the start. If none does, the only segment has the label of the mean probabilities. The probabilities of a
// segment are the means of its steps. Memory does not grow with the length of a segment.
class SegmentSmoother {
 public:
  SegmentSmoother(AnswerRule rule, double shortest);

  // Returns the segment that ended where `step` and the steps before it began another one.
  std::optional<Answer> add(const Answer& step);
  // The last segment; nothing if there was no step.
  std::optional<Answer> finish();

 private:
  struct Sum {
    double begin = 0, end = 0;
    std::string label;  // empty: not yet known
    int64_t steps = 0;
    std::vector<double> probabilities;

    void add(const Sum& later);
  };

  Answer segment(const Sum& sum) const;

  AnswerRule rule_;
  double shortest_;
  Sum current_;  // the segment
  Sum run_;      // the latest steps, which have the same label, if it is not that of the segment
};

}  // namespace melgrad
