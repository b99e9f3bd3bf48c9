// Tables with one row per answer: path, start_s, end_s, label, probability, then probability_LABEL for each class.
// Seconds have three decimals, probabilities six.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/prediction/prediction_writer.h"

namespace melgrad {

// Comma-separated values (RFC 4180) with a header. `file` is written by finish(); "-" is the standard output, to which
// each row is written at once. A file that could not be read has no row after its last answer.
std::unique_ptr<PredictionWriter> csv_writer(const std::filesystem::path& file, const std::vector<std::string>& labels);

// One JSON object per line with the same names. A file that could not be read has the line {"path", "error"}. Bytes
// that are not UTF-8 become U+FFFD.
std::unique_ptr<PredictionWriter> ndjson_writer(const std::filesystem::path& file, std::vector<std::string> labels);

}  // namespace melgrad
