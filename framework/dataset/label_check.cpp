#include "framework/dataset/label_check.h"

namespace melgrad {

void check_labels(const Dataset& dataset, const Split& split, const Features& training, const Reporter& reporter) {
  std::vector<int64_t> trained(dataset.labels.size()), present(dataset.labels.size());
  for (const int label : training.labels(dataset)) ++trained[static_cast<size_t>(label)];
  for (const auto* side : {&split.train, &split.validation, &split.test}) {
    for (const size_t track : *side) ++present[static_cast<size_t>(dataset.tracks[track].label)];
  }
  for (size_t label = 0; label < trained.size(); ++label) {
    if (trained[label] == 0) {
      fail("{}: no track of '{}' is left to train on; add tracks, or leave the label out", dataset.source.string(),
           dataset.labels[label]);
    }
    if (present[label] == 1) {
      reporter.warn(
          fmt::format("{}: '{}' has one track, which is a training track, so the label cannot be tested; add tracks",
                      dataset.source.string(), dataset.labels[label]));
    }
  }
}

}  // namespace melgrad
