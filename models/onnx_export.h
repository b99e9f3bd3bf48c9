// Trained models as ONNX graphs that give the probabilities of melgrad predict.
#pragma once

#include <string>

#include "framework/io/onnx.h"
#include "models/trained_model.h"

namespace melgrad {

struct OnnxExportOptions {
  bool front_end = false;              // begin with the waveform in place of the log-mel spectrogram
  int64_t crops = 10;                  // per recording, evenly spaced; one if the recording is not longer than a crop
  std::string version;                 // of the program
  std::string split_fingerprint = {};  // empty: unknown
};

// One input:
//   "log_mel"   float32 [batch, n_mels, frames], the features of log_mel() in dB, or
//   "waveform"  float32 [batch, samples], one channel in [-1, 1) at the model's sample rate, with the front end.
// Two outputs, float32 [batch, classes]:
//   "logits"         mean over the crops, before the temperature
//   "probabilities"  softmax(logits / temperature)
// batch, frames and samples may have any length from 1 on. The recordings of a batch have equal lengths.
//
// The metadata are those of the checkpoint (to_metadata(ModelCard)) and "melgrad_version", "input", "crops", and
// "split_fingerprint" if it is known.
OnnxModel to_onnx(const TrainedModel& trained, const OnnxExportOptions& options);

}  // namespace melgrad
