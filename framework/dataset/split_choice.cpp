#include "framework/dataset/split_choice.h"

#include <algorithm>

#include "framework/dataset/split_csv.h"
#include "framework/dataset/split_files.h"
#include "kernels/device/error.h"

namespace melgrad {

Split choose_split(Dataset& dataset, const SplitRequest& request) {
  if (!request.split_csv.empty()) return read_split_csv(request.split_csv, dataset);
  if (!request.split_files.empty()) apply_split_files(dataset, request.split_files);
  const bool has_split = std::ranges::any_of(dataset.tracks, [](const Track& track) { return !track.split.empty(); });
  if (request.options.test_fraction > 0 && has_split) {
    throw UsageError(fmt::format("{} defines its test tracks; leave out --test-fraction", dataset.source.string()));
  }
  Split split = make_split(dataset, request.options);
  if (split.validation.empty()) fail("no validation tracks; give a --validation-fraction above 0");
  return split;
}

}  // namespace melgrad
