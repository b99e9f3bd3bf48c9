#include "framework/dataset/dataset_builder.h"

#include <algorithm>
#include <iterator>

#include "framework/io/file_text.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {

void DatasetBuilder::add(Track track, const std::string& label) {
  if (const std::string reason = why_no_label(label); !reason.empty()) {
    fail("{}: '{}' cannot be the label of {}: {}; rename it", dataset_.root.string(), label, track.name, reason);
  }
  const std::string composed = to_nfc(label);
  labels_[composed].insert(label);
  found_.emplace_back(std::move(track), composed);
}

Dataset DatasetBuilder::finish() && {
  for (const auto& [label, forms] : labels_) {
    if (forms.size() > 1) {
      warn(fmt::format("the label '{}' is written in {} Unicode forms; they are one label", label, forms.size()));
    }
    dataset_.labels.push_back(label);
  }
  for (auto& [track, label] : found_) {
    track.label = static_cast<int>(std::distance(labels_.begin(), labels_.find(label)));
    dataset_.tracks.push_back(std::move(track));
  }
  std::ranges::sort(dataset_.tracks, {}, &Track::name);
  return std::move(dataset_);
}

}  // namespace melgrad
