#include "framework/dataset/clip_store.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/device/memory.h"
#include "kernels/device/parallel.h"
#include "kernels/one_hot.h"
#include "kernels/standardise.h"

namespace melgrad {

int64_t crop_frames_for(std::span<const MelClip> clips) {
  MELGRAD_CHECK(!clips.empty(), "no clips to fit a crop to");
  std::vector<int64_t> lengths;
  for (const MelClip& clip : clips) lengths.push_back(clip.frames);
  const auto median = lengths.begin() + std::ssize(lengths) / 2;
  std::ranges::nth_element(lengths, median);
  return std::clamp<int64_t>(*median / 16 * 16, 32, longest_automatic_crop);
}

ClipStore::ClipStore(std::vector<MelClip> clips, std::span<const int> labels, int64_t classes,
                     const Standardisation& standardisation, Device device, Residency residency, Repair repair)
    : device_(device),
      residency_(residency),
      repair_(std::move(repair)),
      classes_(classes),
      top_db_(static_cast<float>(standardisation.top_db)),
      labels_(labels.begin(), labels.end()),
      clips_(std::move(clips)) {
  MELGRAD_CHECK(clips_.size() == labels.size() && !clips_.empty(), "{} clips with {} labels", clips_.size(),
                labels.size());
  n_mels_ = clips_[0].n_mels;
  MELGRAD_CHECK(standardisation.mean.size() == static_cast<size_t>(n_mels_),
                "standardisation of {} mel bins, features of {}", standardisation.mean.size(), n_mels_);
  mean_ = Tensor::from(standardisation.mean, {n_mels_}, device);
  inverse_std_ = Tensor::from(inverse_of(standardisation.deviation), {n_mels_}, device);
  zeros_ = Tensor::zeros({n_mels_}, DType::float32, device);
  ones_ = Tensor::full({n_mels_}, 1, device);
  device_labels_ = {std::vector<int32_t>(labels.begin(), labels.end()), device};
  intact_ = std::make_unique<std::atomic<bool>[]>(clips_.size());
  std::vector<kernel::Clip> table;
  for (size_t i = 0; i < clips_.size(); ++i) {
    const MelClip& clip = clips_[i];
    MELGRAD_CHECK(clip.n_mels == n_mels_ && clip.frames > 0, "a clip of {} mel bins, {} frames among clips of {} bins",
                  clip.n_mels, clip.frames, n_mels_);
    frames_.push_back(clip.frames);
    table.push_back({clip.memory.get(), clip.frames});
    bytes_ += clip.db().size_bytes();
    intact_[i] = clip.hash == 0;
  }
  table_ = {table, device};
  residency_ = choose_residency(residency, bytes_, device);
  if (device_ == Device::cuda && residency_ == Residency::device) {
    try {
      upload();
    } catch (const OutOfMemory&) {
      if (residency != Residency::automatic) throw;
      features_.clear();
      residency_ = residency_on_host(bytes_);
    }
  }
  if (residency_ == Residency::host) {
    kernel::for_each_task(size(), [&](int64_t clip) {
      intact_[static_cast<size_t>(clip)] = clips_[static_cast<size_t>(clip)].is_intact();
    });
  }
  if (residency_ == Residency::disk) {
    reader_ = std::make_unique<ClipReader>([this](int64_t clip) {
      const auto i = static_cast<size_t>(clip);
      if (intact_[i]) {
        clips_[i].read_ahead();
      } else if (clips_[i].is_intact()) {
        intact_[i] = true;
      }
    });
  }
}

ClipStore::ClipStore(std::span<const LogMel> clips, std::span<const int> labels, int64_t classes,
                     const Standardisation& standardisation, Device device)
    : ClipStore(std::vector<MelClip>(clips.begin(), clips.end()), labels, classes, standardisation, device,
                Residency::device) {}

// Moves all clips to the GPU.
void ClipStore::upload() {
  std::vector<kernel::Clip> table;
  for (int64_t clip = 0; clip < size(); ++clip) {
    require_intact(clip);
    const MelClip& from = clips_[static_cast<size_t>(clip)];
    features_.push_back(Tensor::from(from.db(), {from.n_mels, from.frames}, device_));
    table.push_back({features_.back().as<float>(), from.frames});
  }
  table_.assign(table);
  clips_.clear();
  clips_.shrink_to_fit();
}

// Only the thread that asks for batches calls it, so that it may replace clips.
void ClipStore::require_intact(int64_t number) const {
  const auto i = static_cast<size_t>(number);
  if (intact_[i]) return;
  MelClip& clip = clips_[i];
  if (!clip.is_intact()) {
    MELGRAD_CHECK(repair_ != nullptr, "the features of clip {} are damaged", number);
    MelClip again = repair_(number);
    MELGRAD_CHECK(again.n_mels == n_mels_ && again.frames == clip.frames && again.hash == 0,
                  "the features of clip {} have {} frames, had {}", number, again.frames, clip.frames);
    if (reader_) reader_->wait();
    clip = std::move(again);
    if (device_ == Device::cpu) table_.data()[i].db = clip.memory.get();
  }
  intact_[i] = true;
}

void ClipStore::require_intact(std::span<const int64_t> picks) const {
  if (clips_.empty()) return;
  if (residency_ == Residency::disk) {
    for (const int64_t pick : picks) clips_[static_cast<size_t>(pick)].read_ahead();
  }
  kernel::for_each_task(std::ssize(picks), [&](int64_t i) {
    const auto pick = static_cast<size_t>(picks[static_cast<size_t>(i)]);
    if (!intact_[pick] && clips_[pick].is_intact()) intact_[pick] = true;
  });
  for (const int64_t pick : picks) require_intact(pick);
}

void ClipStore::read_ahead(std::span<const int64_t> picks) const {
  if (reader_) reader_->read(picks);
}

void ClipStore::stage(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames) const {
  require_intact(picks);
  const auto n = std::ssize(picks);
  const int64_t values = n_mels_ * crop_frames;
  if (n > stage_.most || crop_frames != stage_.crop_frames) {
    stage_ = {.most = n,
              .crop_frames = crop_frames,
              .host = std::vector<float>(static_cast<size_t>(n * values)),
              .device = Tensor::empty({n, n_mels_, crop_frames}, DType::float32, device_)};
    std::vector<kernel::Clip> table;
    for (int64_t i = 0; i < n; ++i) table.push_back({stage_.device.as<float>() + i * values, crop_frames});
    std::vector<int64_t> numbers(static_cast<size_t>(n));
    stage_.starts = {numbers, device_};
    std::iota(numbers.begin(), numbers.end(), int64_t{0});
    stage_.picks = {numbers, device_};
    stage_.clips = {table, device_};
  }
  kernel::for_each_row(n * n_mels_, crop_frames, [&](int64_t row) {
    const auto i = static_cast<size_t>(row / n_mels_);
    const MelClip& clip = clips_[static_cast<size_t>(picks[i])];
    const float* const from = clip.memory.get() + row % n_mels_ * clip.frames;
    float* to = stage_.host.data() + row * crop_frames;
    int64_t begin = starts[i];
    for (int64_t missing = crop_frames; missing > 0;) {
      const int64_t length = std::min(missing, clip.frames - begin);
      to = std::copy_n(from + begin, length, to);
      missing -= length;
      begin = 0;
    }
  });
  Stream::of(device_).copy(stage_.device.data(), stage_.host.data(), static_cast<size_t>(n * values) * sizeof(float));
}

void ClipStore::prepare_random_crops(std::span<const int64_t> picks, int64_t crop_frames, Generator& on_host) const {
  if (!is_staged()) return;
  const RandomStream random = on_host.draw();
  std::vector<int64_t> starts;
  for (const int64_t pick : picks) {
    starts.push_back(kernel::random_crop_start({nullptr, frames(pick)}, crop_frames, random, std::ssize(starts)));
  }
  stage(picks, starts, crop_frames);
}

Batch ClipStore::random_crops(const BatchItems& picks, int64_t crop_frames, DType dtype, Generator& generator) const {
  const auto n = static_cast<int64_t>(picks.on_host.size());
  const RandomStream random = generator.draw();
  if (is_staged()) return cut(n, picks.on_device, nullptr, crop_frames, dtype, random.first);
  require_intact(picks.on_host);
  const DeviceArray<int64_t> starts(picks.on_host.size(), device_);
  kernel::random_crop_starts(Stream::of(device_), table_.data(), picks.on_device, starts.data(), n, crop_frames,
                             random);
  return cut(n, picks.on_device, starts.data(), crop_frames, dtype);
}

Batch ClipStore::crops(std::span<const int64_t> picks, std::span<const int64_t> starts, int64_t crop_frames,
                       DType dtype) const {
  if (is_staged()) {
    stage(picks, starts, crop_frames);
  } else {
    require_intact(picks);
  }
  const DeviceArray<int64_t> device_picks(picks, device_), device_starts(starts, device_);
  return cut(static_cast<int64_t>(picks.size()), device_picks.data(), device_starts.data(), crop_frames, dtype);
}

Batch ClipStore::cut(int64_t n, const int64_t* picks, const int64_t* starts, int64_t crop_frames, DType dtype,
                     int64_t first_staged) const {
  Stream& stream = Stream::of(device_);
  const Batch batch{.x = Tensor::empty({n, n_mels_, crop_frames, 1}, dtype, device_),
                    .targets = Tensor::empty({n, classes_}, DType::float32, device_)};
  const kernel::Clip* clips = table_.data();
  const int64_t* clip_of_crop = picks;
  if (is_staged()) {
    MELGRAD_CHECK(first_staged + n <= stage_.most && crop_frames == stage_.crop_frames, "{} crops were not prepared",
                  n);
    clips = stage_.clips.data();
    clip_of_crop = stage_.picks.data() + first_staged;
    starts = stage_.starts.data();
  }
  if (top_db_ > 0) {
    const Tensor db = Tensor::empty(batch.x.shape(), DType::float32, device_);
    kernel::crop(stream, clips, clip_of_crop, starts, db.data(), DType::float32, n, n_mels_, crop_frames,
                 zeros_.as<float>(), ones_.as<float>());
    kernel::limit_and_standardise(stream, db.as<float>(),
                                  {.batch = n,
                                   .n_mels = n_mels_,
                                   .frames = crop_frames,
                                   .example_stride = n_mels_ * crop_frames,
                                   .mel_stride = crop_frames},
                                  top_db_, mean_.as<float>(), inverse_std_.as<float>(), batch.x.data(), dtype);
  } else {
    kernel::crop(stream, clips, clip_of_crop, starts, batch.x.data(), dtype, n, n_mels_, crop_frames, mean_.as<float>(),
                 inverse_std_.as<float>());
  }
  kernel::one_hot(stream, device_labels_.data(), picks, batch.targets.as<float>(), n, classes_);
  return batch;
}

}  // namespace melgrad
