#include "framework/dataset/dataset.h"

#include <algorithm>

#include "framework/dataset/genre_folders.h"
#include "framework/dataset/label_table.h"
#include "framework/dataset/manifest.h"
#include "framework/io/file_text.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr size_t longest_label = 200;  // bytes

bool is_manifest(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return file == "-" || extension == ".csv" || extension == ".tsv";
}

Dataset read_source(const DatasetSource& source) {
  if (!source.labels.empty()) return load_label_table(source);
  const fs::path& path = source.data;
  if (path != "-" && !fs::exists(path)) {
    fail("{}: no such file or folder; give a folder of genre folders or a manifest", path.string());
  }
  if (!fs::is_directory(path)) {
    if (is_manifest(path)) return load_manifest(path);
    fail("{} is neither a folder nor a .csv manifest; give a folder of genre folders or a manifest", path.string());
  }
  const fs::path manifest = path / "manifest.csv";
  return fs::exists(manifest) ? load_manifest(manifest) : load_genre_folders(path);
}

}  // namespace

Dataset load_dataset(const DatasetSource& source) try {
  Dataset dataset = read_source(source);
  if (dataset.labels.size() > most_labels) {
    fail("{} has {} labels, at most {} are allowed; merge labels or leave some out", dataset.source.string(),
         dataset.labels.size(), most_labels);
  }
  return dataset;
} catch (const fs::filesystem_error& error) {
  fail("cannot read {}: {}", error.path1().string(), error.code().message());
}

std::string why_no_label(std::string_view label) {
  if (label.empty()) return "it is empty";
  if (label.size() > longest_label)
    return fmt::format("it has {} bytes, at most {} are allowed", label.size(), longest_label);
  if (!is_utf8(label)) return "it is not UTF-8";
  if (one_line(label) != label) return "it contains a control character";
  return "";
}

std::string_view split_name(std::string_view word) {
  struct Synonym {
    std::string_view word, split;
  };
  constexpr Synonym synonyms[] = {
      {"train", "train"},    {"training", "train"}, {"validation", "validation"},  {"valid", "validation"},
      {"val", "validation"}, {"dev", "validation"}, {"development", "validation"}, {"test", "test"},
      {"testing", "test"},   {"eval", "test"},      {"evaluation", "test"}};
  const auto found = std::ranges::find(synonyms, word, &Synonym::word);
  return found == std::end(synonyms) ? "" : found->split;
}

}  // namespace melgrad
