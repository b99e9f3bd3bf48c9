// Receives the answers about recordings and writes them in a format for other programs. All files are written
// atomically (framework/io/atomic_file.h), so a program that watches a folder never reads a part of one.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "framework/prediction/answer.h"

namespace melgrad {

// The calls for one input: add() for each answer, in order of time, then end(), or fail() if it could not be read to
// its end. After all inputs: finish(). All functions may throw WriteError; the last one does so for files that hold all
// inputs.
class PredictionWriter {
 public:
  PredictionWriter() = default;
  virtual ~PredictionWriter() = default;
  PredictionWriter(const PredictionWriter&) = delete;
  PredictionWriter& operator=(const PredictionWriter&) = delete;

  virtual void add(const Input& input, const Answer& answer) = 0;
  virtual void end(const Input& /*input*/, double /*seconds*/) {}
  virtual void fail(const Input& /*input*/, const std::string& /*message*/) {}
  virtual void finish() {}
};

// Passes every call to all writers.
class PredictionWriters : public PredictionWriter {
 public:
  void push_back(std::unique_ptr<PredictionWriter> writer) { writers_.push_back(std::move(writer)); }
  void add(const Input& input, const Answer& answer) override;
  void end(const Input& input, double seconds) override;
  void fail(const Input& input, const std::string& message) override;
  // Calls finish() of every writer, also after one has thrown, and then throws the first exception.
  void finish() override;

 private:
  std::vector<std::unique_ptr<PredictionWriter>> writers_;
};

// Names for files about the inputs in one folder. Equal names get a number: a/x.wav, then a/x_2.wav.
class OutputNames {
 public:
  std::filesystem::path unique(const std::filesystem::path& name);

 private:
  std::set<std::filesystem::path> used_;
};

}  // namespace melgrad
