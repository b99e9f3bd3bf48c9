#include "framework/dataset/dataset_builder.h"

#include <algorithm>

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
    const auto position = std::ranges::lower_bound(dataset_.labels, label);
    track.label = static_cast<int>(position - dataset_.labels.begin());
    dataset_.tracks.push_back(std::move(track));
  }
  std::ranges::sort(dataset_.tracks, {}, &Track::name);
  return std::move(dataset_);
}

}  // namespace melgrad
