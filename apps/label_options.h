// The options for a data set with a table of labels.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "framework/dataset/dataset.h"

namespace melgrad {

// --labels, --path-column, --label-column and --fold-column.
struct LabelOptions {
  std::string labels, path_column, label_column, fold_column;
  DatasetSource source(const std::string& data) const;
};
void add_label_options(CLI::App& command, LabelOptions& options);

}  // namespace melgrad
