#include "framework/prediction/prediction_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace melgrad {

void PredictionWriters::add(const Input& input, const Answer& answer) {
  for (const auto& writer : writers_) writer->add(input, answer);
}

void PredictionWriters::end(const Input& input, double seconds) {
  for (const auto& writer : writers_) writer->end(input, seconds);
}

void PredictionWriters::fail(const Input& input, const std::string& message) {
  for (const auto& writer : writers_) writer->fail(input, message);
}

void PredictionWriters::finish() {
  std::exception_ptr first;
  for (const auto& writer : writers_) {
    try {
      writer->finish();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

std::filesystem::path OutputNames::unique(const std::filesystem::path& name) {
  std::filesystem::path candidate = name;
  for (int number = 2;; ++number) {
    const std::string text = candidate.string();
    const auto place = std::lower_bound(used_.begin(), used_.end(), text);
    if (place == used_.end() || *place != text) {
      used_.insert(place, text);
      return candidate;
    }
    candidate = name;
    candidate.replace_filename(fmt::format("{}_{}{}", name.stem().string(), number, name.extension().string()));
  }
}

}  // namespace melgrad
