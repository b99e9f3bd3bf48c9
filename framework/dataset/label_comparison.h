// The labels of a run compared with the labels of a data set.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

// Throws Error, naming a label that is missing and one that is new, unless both lists are equal. The labels of a run
// are the classes of its model, so training can only continue with the same labels. `file` is the run's checkpoint.
void require_same_labels(const std::vector<std::string>& run, const std::vector<std::string>& data,
                         const std::string& file);

}  // namespace melgrad
