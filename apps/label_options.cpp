#include "apps/label_options.h"

#include <fmt/format.h>

#include "kernels/device/error.h"

namespace melgrad {

DatasetSource LabelOptions::source(const std::string& data) const {
  if (labels.empty() && !(path_column + label_column + fold_column).empty()) {
    throw UsageError("--path-column, --label-column and --fold-column name columns of --labels; give --labels too");
  }
  return {.data = data,
          .labels = labels,
          .path_column = path_column,
          .label_column = label_column,
          .fold_column = fold_column};
}

void add_label_options(CLI::App& command, LabelOptions& options) {
  command
      .add_option("--labels", options.labels,
                  "Table with one line per track, such as esc50.csv, UrbanSound8K.csv or FMA's tracks.csv. The data "
                  "set is then the folder with the audio files")
      ->type_name("FILE");
  const auto add_column = [&](const char* name, std::string& column, const char* what) {
    command.add_option(name, column, fmt::format("Column of --labels with the {}. Default: found by its name", what))
        ->type_name("NAME");
  };
  add_column("--path-column", options.path_column, "file names");
  add_column("--label-column", options.label_column, "labels");
  add_column("--fold-column", options.fold_column, "folds");
}

}  // namespace melgrad
