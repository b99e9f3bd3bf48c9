#include "framework/prediction/prediction_writer.h"

#include <fmt/format.h>

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
  for (int number = 2; !used_.insert(candidate).second; ++number) {
    candidate.replace_filename(fmt::format("{}_{}{}", name.stem().string(), number, name.extension().string()));
  }
  return candidate;
}

}  // namespace melgrad
