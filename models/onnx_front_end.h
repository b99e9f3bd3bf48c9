// The log-mel spectrogram as operators of ONNX. ONNX's own STFT is slow in the CPU kernels of onnxruntime and absent
// from its CUDA kernels, so that the Fourier transform is a convolution with the windowed basis of the DFT.
#pragma once

#include <string>

#include "framework/audio/log_mel.h"
#include "framework/io/onnx.h"

namespace melgrad {

// Appends 10 log10(max(1e-10, mel spectrogram)) of `waveform`, the name of a value [batch, samples]. Returns the name
// of the result [batch, n_mels, frames], in dB, with the frames of log_mel(); its dynamic range is not limited.
std::string append_front_end(OnnxModel& graph, const MelSettings& settings, const std::string& waveform);

// Appends max(db, maximum - top_db), where the maximum is taken over the given axes. Returns the name of the result.
std::string append_dynamic_range(OnnxModel& graph, const std::string& db, double top_db, std::vector<int64_t> axes);

}  // namespace melgrad
