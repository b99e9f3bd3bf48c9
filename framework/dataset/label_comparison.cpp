#include "framework/dataset/label_comparison.h"

#include <algorithm>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

// The first label, quoted, that `these` has and `those` lacks; empty when there is none.
std::string first_missing_in(const std::vector<std::string>& those, const std::vector<std::string>& these) {
  const auto found = std::ranges::find_if(
      these, [&](const std::string& label) { return std::ranges::find(those, label) == those.end(); });
  return found == these.end() ? "" : fmt::format("'{}'", *found);
}

}  // namespace

void require_same_labels(const std::vector<std::string>& run, const std::vector<std::string>& data,
                         const std::string& file) {
  if (run == data) return;
  const std::string removed = first_missing_in(data, run), added = first_missing_in(run, data);
  std::string difference = removed.empty() ? "" : fmt::format("lacks the label {}", removed);
  if (!added.empty()) difference += fmt::format("{}has the new label {}", removed.empty() ? "" : " and ", added);
  if (difference.empty()) difference = "has its labels in another order";
  fail("{} was trained with other labels: the data set now {}; give its tracks the labels they had, or train anew",
       file, difference);
}

}  // namespace melgrad
