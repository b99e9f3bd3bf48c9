#include "framework/dataset/waveform_batches.h"

#include <utility>

#include "framework/audio/log_mel.h"
#include "kernels/device/ceil_divide.h"
#include "kernels/mel.h"
#include "kernels/one_hot.h"
#include "kernels/standardise.h"
#include "kernels/waveform_mix.h"

namespace melgrad {
namespace {

// Samples of a crop, and of the examples in memory: a whole number of hops, so that the frames of all examples lie on
// one grid and one launch transforms them.
kernel::WaveformShape shape_of(int64_t batch, int64_t crop_frames, const MelSettings& mel) {
  const int64_t length = (crop_frames - 1) * mel.hop_length + mel.n_fft;
  return {batch, length, ceil_divide<int64_t>(length, mel.hop_length) * mel.hop_length};
}

// Values further than top_db below the maximum of a crop are not seen.
kernel::FftPrecision precision_for(MelSettings mel, double top_db) {
  mel.top_db = top_db;
  return sufficient_precision(mel);
}

}  // namespace

WaveformBatches::WaveformBatches(const RecordingStore& recordings, std::vector<std::string> names,
                                 const MelSettings& mel, const Standardisation& standardisation,
                                 const CropOptions& options)
    : recordings_(recordings),
      names_(std::move(names)),
      mel_(mel),
      options_(options),
      precision_(precision_for(mel, standardisation.top_db)),
      top_db_(static_cast<float>(standardisation.top_db)),
      filter_bank_(mel, recordings.device()),
      window_(hann_window(mel.n_fft), recordings.device()),
      table_(kernel::interpolation_table(), recordings.device()),
      mean_(Tensor::from(standardisation.mean, {mel.n_mels}, recordings.device())),
      inverse_std_(Tensor::from(inverse_of(standardisation.deviation), {mel.n_mels}, recordings.device())) {
  MELGRAD_CHECK(std::ssize(names_) == recordings.size(), "{} names for {} recordings", names_.size(),
                recordings.size());
  MELGRAD_CHECK(standardisation.top_db > 0, "crops of recordings need a dynamic range, got {} dB",
                standardisation.top_db);
}

EpochSize WaveformBatches::epoch_size() const {
  return {.items = recordings_.size(),
          .examples_per_item = options_.crops_per_track,
          .items_name = "tracks",
          .examples_name = "crops"};
}

Batch WaveformBatches::batch(const BatchItems& tracks, Generator& generator) const {
  const Device device = recordings_.device();
  Stream& stream = Stream::of(device);
  const auto n = static_cast<int64_t>(tracks.on_host.size());
  const kernel::WaveformShape shape = shape_of(n, options_.crop_frames, mel_);
  const Tensor samples = Tensor::empty({n, shape.stride}, DType::float32, device);
  const RandomStream random = generator.draw();
  kernel::waveform_crop(stream, recordings_.recordings(), tracks.on_device, table_.data(), samples.as<float>(), shape,
                        options_.waveform, random);
  Tensor targets = Tensor::empty({n, recordings_.classes()}, DType::float32, device);
  kernel::one_hot(stream, recordings_.labels(), tracks.on_device, targets.as<float>(), n, recordings_.classes());
  if (options_.waveform_mixup_alpha > 0) {
    kernel::waveform_mix(stream, recordings_.recordings(), tracks.on_device, samples.as<float>(), targets.as<float>(),
                         shape, recordings_.classes(), options_.waveform, random, options_.waveform_mixup_alpha,
                         generator.draw());
  }
  return augment(features(samples, std::move(targets)), inverse_std_, options_.augmentation, generator);
}

Batch WaveformBatches::features(const Tensor& samples, Tensor targets) const {
  const int64_t n = samples.shape()[0], frames = options_.crop_frames, n_mels = mel_.n_mels;
  const int64_t frames_of_example = samples.shape()[1] / mel_.hop_length;
  const int64_t count = (n - 1) * frames_of_example + frames;  // the last example needs no frames beyond its own
  const Device device = recordings_.device();
  const Tensor db = Tensor::empty({n_mels, count}, DType::float32, device);
  kernel::log_mel_spectrogram(samples.stream(), samples.as<float>(), window_.data(), db.as<float>(),
                              filter_bank_.filters(),
                              {.count = count,
                               .n_fft = mel_.n_fft,
                               .hop_length = mel_.hop_length,
                               .length = samples.numel(),
                               .precision = precision_});
  Batch batch{.x = Tensor::empty({n, n_mels, frames, 1}, options_.precision, device), .targets = std::move(targets)};
  kernel::limit_and_standardise(
      samples.stream(), db.as<float>(),
      {.batch = n, .n_mels = n_mels, .frames = frames, .example_stride = frames_of_example, .mel_stride = count},
      top_db_, mean_.as<float>(), inverse_std_.as<float>(), batch.x.data(), options_.precision);
  return batch;
}

std::string WaveformBatches::name(int64_t track) const { return names_[static_cast<size_t>(track)]; }

}  // namespace melgrad
